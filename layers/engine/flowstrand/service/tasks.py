"""What workers do: claim attempts, report them, heartbeat."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress

from flowstrand.engine import effects, ids
from flowstrand.engine.decide import task
from flowstrand.engine.events import ErrorInfo, TaskCreated
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.outcome import clipped
from flowstrand.errors import Conflict, LogCorrupted, NotFound, PayloadTooLarge, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append, inbox, leases, payloads, polling, queue_limits, reports
from flowstrand.service.claims import ClaimedTask
from flowstrand.service.container import Services
from flowstrand.service.reports import Completion, Failure, Report
from flowstrand.service.tokens import Lease
from flowstrand.service.waking import wake

MAX_DETAILS_BYTES = 16_384
"""How long the JSON of a heartbeat's details may be."""

__all__ = ["ClaimedTask", "complete", "fail", "heartbeat", "lease_of", "poll", "require"]


def poll(
    services: Services,
    org: OrgId,
    queue: str,
    *,
    worker_id: str,
    kinds: Collection[str],
    limit: int,
    wait_s: float,
) -> list[ClaimedTask]:
    """What `polling.poll` brought.

    Raises:
        StoreUnavailable: some attempts may have been claimed; their leases end by themselves.
    """
    polled = polling.poll(services, org, queue, worker_id=worker_id, kinds=kinds, limit=limit, wait_s=wait_s)
    return list(polled.tasks)


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
    services: Services, org: OrgId, task_id: str, *, lease_token: str, details: JsonValue = None
) -> bool:
    """Extend the attempt's lease; returns whether the worker should stop.

    Args:
        details: what the next attempt is to know of this one, until another heartbeat says something else.

    Raises:
        PayloadTooLarge: the details are over `MAX_DETAILS_BYTES`; nothing is extended.
        NotFound, Conflict: as for `complete`.
    """
    size = len(json.dumps(details, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > MAX_DETAILS_BYTES:
        raise PayloadTooLarge(f"the details have {size} bytes, and may have {MAX_DETAILS_BYTES}")
    key, position, lease = lease_of(services, org, task_id, lease_token)
    now_ms = services.clock.now_ms()
    known = task.running(Draft(require(services, key).state, now_ms), position, lease.attempt)
    until_ms = task.lease_until_ms(known, now_ms, services.settings.lease_ms)
    leases.heartbeat(services.directory, task_id, attempt=lease.attempt, until_ms=until_ms, details=details)
    return False


# --- leases and reports -------------------------------------------------------------------------


def lease_of(services: Services, org: OrgId, task_id: str, lease_token: str) -> tuple[LogKey, int, Lease]:
    """The log of a task, its position there, and what the token says.

    Raises:
        NotFound: `TASK_NOT_FOUND`.
        Conflict: `INVALID_LEASE`.
    """
    try:
        execution, family, position = ids.owner_of(task_id)
    except ValueError:
        family, execution, position = "", ids.ExecutionId(""), 0
    if family != ids.TASK:
        raise _task_not_found()
    key = LogKey(org, execution)
    try:
        return key, position, services.tokens.verify(lease_token, org=org, task_id=task_id)
    except Conflict:
        # An unknown task is 404 whatever the token says; only for a known one is the token the fault.
        if position not in require(services, key).state.tasks and not _has_task(services, key, task_id):
            raise _task_not_found() from None
        raise


def _has_task(services: Services, key: LogKey, task_id: str) -> bool:
    """Whether the log ever created the task; a read of the history, on the refused path only."""
    return any(
        isinstance(event.data, TaskCreated) and event.data.task_execution_id == task_id
        for commit in services.log.read(key, after=0)
        for event in unpack_events(commit)
    )


def require(services: Services, key: LogKey) -> append.Tip:
    """The tip of a task's log.

    Raises:
        NotFound: `TASK_NOT_FOUND`: the log is empty.
        Gone: `EXECUTION_EXPIRED`.
    """
    tip = append.load(services, key)
    if tip is None:
        raise _task_not_found()
    return append.require_whole(tip)


def _task_not_found() -> NotFound:
    return NotFound("there is no such task execution", code="TASK_NOT_FOUND")


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
        lambda draft: reports.decide(draft, report),
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
