"""Signals from outside, into the log of a running execution."""

from __future__ import annotations

from dataclasses import dataclass

from flowstrand.engine import effects
from flowstrand.engine.decide import signal as decide
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.schema import Payload
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import append, payloads, quotas, succession
from flowstrand.service.container import Services
from flowstrand.service.waking import wake


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

    A signal to an execution that has continued as another goes there, and the sequence is of that log.

    Args:
        request_id: the caller's own. Repeating it is a no-op with the same answer, while it is one of the newest that the
            log remembers; it sends the wake again.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`.
        Gone: `EXECUTION_EXPIRED`; nothing is recorded.
        Conflict: `EXECUTION_CLOSED`; nothing is recorded.
        PayloadTooLarge: the value is over the limit; nothing is recorded.
        QuotaExceeded: the org has signalled too much; nothing is recorded.
        Unavailable, StoreUnavailable: it may or may not have been recorded; send it again.
    """
    tip = succession.require_whole(services, LogKey(org, ExecutionId(execution_id)))
    quotas.require_signal(services, org)
    return deliver(services, tip, name, value, request_id=request_id).sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Where a signal's event is: in the log of the execution it was sent to, or of one that goes on from that."""

    execution_id: ExecutionId
    sequence: int


def deliver(
    services: Services, tip: append.Tip, name: str, value: JsonValue, *, request_id: str | None = None
) -> Delivered:
    """As `signal`, given where the log stood; tells as well in which log the event is."""
    stored = payloads.store(services, tip.key.org, value)
    try:
        return _send(services, tip, lambda draft: _receive(draft, name, stored, request_id))
    except append.Contended as contended:
        raise append.unavailable(contended) from contended


def _send(services: Services, tip: append.Tip, receive: append.Decision[int | None]) -> Delivered:
    """Record the signal where the execution has got to, and wake it."""
    while True:
        appended = append.transact(services, tip.key, receive, tip=tip)
        if appended.result is not None:
            key = tip.key
            if effects.needs_wake(appended.tip.state, appended.result):
                wake(services, key, appended.result)
            return Delivered(execution_id=key.execution_id, sequence=appended.result)
        tip = succession.successor_of(services, appended.tip) or tip


def _receive(draft: Draft, name: str, value: Payload, request_id: str | None) -> int | None:
    """The sequence of the signal's event, recorded now or before; None where another execution goes on from here."""
    is_known = request_id is not None and request_id in draft.state.requests
    if draft.state.continued_as is not None and not is_known:
        return None
    return decide.receive(draft, name, value, request_id=request_id)
