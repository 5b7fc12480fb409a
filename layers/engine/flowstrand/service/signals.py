"""Signals from outside, into the log of a running execution."""

from __future__ import annotations

from flowstrand.engine import effects
from flowstrand.engine.decide import signal as decide
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import Wake
from flowstrand.service import append, payloads
from flowstrand.service.container import Services


def signal(
    services: Services,
    org: OrgId,
    execution_id: str,
    name: str,
    value: JsonValue,
    *,
    request_id: str | None = None,
) -> int:
    """Record a signal and wake the execution if it waits for one; returns the sequence of its event.

    Args:
        request_id: the caller's own. Repeating it is a no-op with the same answer, while it is one of the newest that the
            log remembers; it sends the wake again.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`.
        Conflict: `EXECUTION_CLOSED`; nothing is recorded.
        PayloadTooLarge: the value is over the limit; nothing is recorded.
        Unavailable, StoreUnavailable: it may or may not have been recorded; send it again.
    """
    key = LogKey(org, ExecutionId(execution_id))
    tip = append.require(services, key)
    stored = payloads.store(services, org, value)
    try:
        received = append.transact(
            services, key, lambda draft: decide.receive(draft, name, stored, request_id=request_id), tip=tip
        )
    except append.Contended as contended:
        raise append.unavailable(contended) from None
    if effects.needs_wake(received.tip.state, received.result):
        services.control.send([Wake(org=org, execution_id=key.execution_id, sequence=received.result)])
    return received.result
