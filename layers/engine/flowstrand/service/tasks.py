"""What workers do with an attempt that they have claimed: report it, heartbeat."""

from __future__ import annotations

import json
from contextlib import suppress

from flowstrand.engine import effects
from flowstrand.engine.decide import task
from flowstrand.engine.events import ErrorInfo, TaskCancelled
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.outcome import clipped
from flowstrand.errors import Conflict, LogCorrupted, PayloadTooLarge, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append, inbox, leases, payloads, queue_limits, reports
from flowstrand.service.claims import ClaimedTask
from flowstrand.service.container import Services
from flowstrand.service.reports import Completion, Failure, Report
from flowstrand.service.task_address import address_of, creation_of
from flowstrand.service.task_address import require_log as require
from flowstrand.service.tokens import Lease
from flowstrand.service.waking import wake

MAX_DETAILS_BYTES = 16_384
"""How long the JSON of a heartbeat's details may be."""

__all__ = ["ClaimedTask", "complete", "fail", "heartbeat", "lease_of", "require"]


def complete(services: Services, org: OrgId, task_id: str, *, lease_token: str, output: JsonValue) -> int:
    """Record an attempt's output; returns the sequence of its event. Repeating it returns the same.

    Raises:
        NotFound: `TASK_NOT_FOUND`.
        Conflict: `INVALID_LEASE`, `STALE_ATTEMPT` or `EXECUTION_CLOSED`; nothing is recorded.
        PayloadTooLarge: the output is over the limit; nothing is recorded.
        Unavailable, StoreUnavailable: it may or may not have been recorded; report it again.
    """
    key, position, lease = lease_of(services, org, task_id, lease_token)
    stored = payloads.store(services, org, output)
    report = Completion(position=position, attempt=lease.attempt, output=stored)
    return _ended(services, lease, _report(services, key, report, lease))


def fail(
    services: Services, org: OrgId, task_id: str, *, lease_token: str, error: ErrorInfo, retryable: bool = True
) -> int:
    """Record an attempt's failure; returns the sequence of its event. Raises what `complete` raises."""
    key, position, lease = lease_of(services, org, task_id, lease_token)
    report = Failure(position=position, attempt=lease.attempt, error=clipped(error), retryable=retryable)
    return _ended(services, lease, _report(services, key, report, lease))


def heartbeat(
    services: Services,
    org: OrgId,
    task_id: str,
    *,
    lease_token: str,
    progress: float | None = None,
    details: JsonValue = None,
) -> bool:
    """Extend the attempt's lease; returns whether the worker should stop: its task was cancelled, or its execution asked to end.

    Args:
        progress: how much of the work is done, from 0 to 1, until another heartbeat says something else.
        details: what the next attempt is to know of this one, likewise.

    Raises:
        PayloadTooLarge: the details are over `MAX_DETAILS_BYTES`; nothing is extended.
        NotFound, Conflict: as for `complete`.
    """
    size = len(json.dumps(details, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > MAX_DETAILS_BYTES:
        raise PayloadTooLarge(f"the details have {size} bytes, and may have {MAX_DETAILS_BYTES}")
    key, position, lease = lease_of(services, org, task_id, lease_token)
    now_ms = services.clock.now_ms()
    state = require(services, key).state
    try:
        known = task.running(Draft(state, now_ms), position, lease.attempt)
    except Conflict:
        if _was_cancelled(services, key, position, lease):
            return True
        raise
    until_ms = task.lease_until_ms(known, now_ms, services.settings.lease_ms)
    beat = leases.Heartbeat(
        attempt=lease.attempt, at_ms=now_ms, until_ms=until_ms, progress=progress, details=details
    )
    leases.heartbeat(services.directory, task_id, beat)
    return task.is_to_stop(state, position)


def _was_cancelled(services: Services, key: LogKey, position: int, lease: Lease) -> bool:
    """Whether what ended a leased attempt was its task's cancellation; reads what came after the lease."""
    return any(
        isinstance(event.data, TaskCancelled) and event.data.position == position
        for commit in services.log.read(key, after=lease.sequence)
        for event in unpack_events(commit)
    )


# --- leases and reports -------------------------------------------------------------------------


def lease_of(services: Services, org: OrgId, task_id: str, lease_token: str) -> tuple[LogKey, int, Lease]:
    """The log of a task, its position there, and what the token says.

    Raises:
        NotFound: `TASK_NOT_FOUND`.
        Conflict: `INVALID_LEASE`.
    """
    key, position = address_of(org, task_id)
    try:
        return key, position, services.tokens.verify(lease_token, org=org, task_id=task_id)
    except Conflict:
        # An unknown task is 404 whatever the token says; only for a known one is the token the fault.
        creation_of(services, require(services, key), task_id)
        raise


def _ended(services: Services, lease: Lease, sequence: int) -> int:
    """The report is recorded: there is room for another attempt where they are counted."""
    if lease.counted_in is not None:
        with suppress(StoreUnavailable):  # recorded it is; the room comes with the end of the lease
            queue_limits.ended(services, lease.org, lease.counted_in, lease.task_id, lease.attempt)
    return sequence


def _report(services: Services, key: LogKey, report: Report, lease: Lease) -> int:
    tip = require(services, key)
    try:
        return _append(services, tip, report)
    except append.Contended as contended:
        return _through_inbox(services, contended.tip, report, after=tip.state.sequence)
    except Conflict:
        answer, _ = reports.find_answer(services, key, report, after=lease.sequence)
        if answer is None:
            raise
        wake(services, key, answer)
        return answer


def _append(services: Services, tip: append.Tip, report: Report) -> int:
    appended = append.transact(
        services,
        tip.key,
        lambda draft: reports.decide(draft, report, services.settings),
        tip=tip,
        conflicts=services.settings.append_attempts_before_inbox,
    )
    if appended.sequence is None:
        raise LogCorrupted("a report was decided without an event")
    if effects.needs_wake(appended.tip.state, appended.sequence):
        wake(services, tip.key, appended.sequence)
    return appended.sequence


def _through_inbox(services: Services, tip: append.Tip, report: Report, *, after: int) -> int:
    """Leave the report to the resumer and wait for its sequence. Raises as `inbox.wait_for` does.

    Args:
        after: where it was found not to be recorded yet.
    """
    scanned = after

    def answer() -> int | None:
        nonlocal scanned
        found, scanned = reports.find_answer(services, tip.key, report, after=scanned)
        return found

    return inbox.wait_for(services, tip, report, answer, busy="the report waits to be recorded; send it again")
