"""Signals from outside, into the log of a running execution."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from flowstrand.dataclass import dataclass
from flowstrand.engine import effects
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import Unavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import append, inbox, payloads, quotas, requests, succession
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
    request = requests.Signal(name=name, value=stored, request_id=request_id)
    while True:
        try:
            appended = append.transact(
                services,
                tip.key,
                partial(requests.decide, request=request),
                tip=tip,
                conflicts=services.settings.append_attempts_before_inbox,
            )
        except append.Contended as contended:
            request = replace(request, request_id=request.request_id or services.random_bytes(12).hex())
            sequence = _through_inbox(services, contended.tip, request)
            if sequence is not None:
                return Delivered(execution_id=tip.key.execution_id, sequence=sequence)
            tip, _ = append.catch_up(services, contended.tip)  # it has ended, or another goes on from it
            continue
        sequence = appended.result
        if sequence is not None:
            if effects.needs_wake(appended.tip.state, sequence):
                wake(services, tip.key, sequence)
            return Delivered(execution_id=tip.key.execution_id, sequence=sequence)
        tip = succession.successor_of(services, appended.tip) or tip


def _through_inbox(services: Services, tip: append.Tip, request: requests.Signal) -> int | None:
    """Leave the signal to the resumer and wait for its sequence; None where it was dropped.

    Raises:
        Unavailable: `BUSY`: it was not taken in time.
    """
    is_taken = inbox.leave(services, tip, request)
    sequence = requests.recorded_at(services, tip, request)
    if sequence is None and not is_taken:
        raise Unavailable("the signal waits to be recorded; send it again", code="BUSY", retry_after_s=1)
    return sequence
