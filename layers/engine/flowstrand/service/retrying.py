"""Retry a failed execution: begin another from its history.

The old log is read and never written. What the new one begins with is a function of it and of the new one's first event, and is
written in one commit, or in as many as it takes. Until the last is there, nothing else may be appended and nothing has an effect;
whoever comes by first (the caller, a repetition, a wake, the sweep) goes on where it ends, and conditional puts let only one at a
time.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids
from flowstrand.engine.events import Event, EventType, RetryOf
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.retried.history import Copied, retried_history
from flowstrand.errors import Conflict, LogCorrupted, Unavailable
from flowstrand.log.packing import pack_stored, stored_form, unpack_events
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.service import append, executions, open_executions, payloads, quotas, succession
from flowstrand.service.container import Services
from flowstrand.service.executions import ExecutionSnapshot
from flowstrand.service.waking import wake


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """The execution that goes on from a failed one, and whether this call began it."""

    snapshot: ExecutionSnapshot
    is_new: bool


def retry(
    services: Services, org: OrgId, execution_id: str, *, reason: str | None = None, request_id: str | None = None
) -> Retried:
    """Begin an execution from the history of one that has failed, or whose last continuation has.

    Args:
        reason: for people; part of the events.
        request_id: the caller's name for this request. A repetition finds what the first one began; without one, each
            call begins another execution.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`.
        Gone: `EXECUTION_EXPIRED`: its history is no longer kept.
        Conflict: `EXECUTION_NOT_FAILED`: it is open, or has completed, or was cancelled.
        QuotaExceeded: the org has started too much; nothing is created.
        Unavailable, StoreUnavailable: it may or may not have begun; ask again under the same request id.
    """
    failed = succession.newest(services, LogKey(org, ExecutionId(execution_id)))
    if failed.state.closed is not EventType.WORKFLOW_FAILED:
        status = failed.state.status.value
        raise Conflict(
            f"only a failed execution can be retried, and this one is {status}", code="EXECUTION_NOT_FAILED"
        )
    request = request_id or services.random_bytes(12).hex()
    key = LogKey(org, ids.retry_id(failed.key.execution_id, request))
    is_new = False
    if append.load(services, key) is None:
        quotas.require_start(services, org)
        is_new = _begin(services, failed, key, reason=reason, request_id=request_id)
    tip = _finished(services, key)
    if not tip.state.closed:
        wake(services, key, 1)
    return Retried(snapshot=executions.snapshot(services, tip), is_new=is_new)


def _finished(services: Services, key: LogKey) -> append.Tip:
    tip = append.load(services, key)
    if tip is None:
        raise Unavailable("the retry is being begun; ask again", code="BUSY", retry_after_s=1)
    try:
        return finish(services, append.require_whole(tip))
    except append.Contended as contended:
        raise append.unavailable(contended) from contended


def finish(services: Services, tip: append.Tip) -> append.Tip:
    """Go on with a log whose beginning has been copied in part, until all of it is there.

    Raises:
        Contended, StoreUnavailable: it may lack the rest; finish it again.
    """
    backoff = append.Backoff(services)
    history: list[Copied] = []
    for _ in range(append.MAX_CONFLICTS):
        if not tip.state.is_copying:
            return tip
        history = history or _history(services, tip)
        try:
            tip = _write_next(services, tip, history[tip.state.sequence :])
        except AppendConflict:  # somebody else goes on with it
            backoff.wait()
            tip, _ = append.catch_up(services, tip)
    raise append.Contended(tip)


def _begin(
    services: Services, failed: append.Tip, key: LogKey, *, reason: str | None, request_id: str | None
) -> bool:
    """Write the first commit; says whether it was this call that did.

    The sweep knows of the execution before it is there, so that it is finished whatever becomes of this process.
    """
    retry_of = RetryOf(
        workflow_execution_id=failed.key.execution_id,
        sequence=failed.state.sequence,
        origin=failed.state.retry_of.origin if failed.state.retry_of else failed.key.execution_id,
        reason=reason,
        request_id=request_id,
    )
    now_ms = max(services.clock.now_ms(), failed.state.timestamp_ms)
    events = _whole_log(services, failed.key, failed.state.sequence)
    history = retried_history(events, key.execution_id, retry_of=retry_of, begins_at_ms=now_ms)
    stored = _stored(services, key, history)
    stored = stored[: _fitting(services, stored)]
    open_executions.add(services.directory, key, now_ms)
    commit = Commit(
        key=key,
        sequence=1,
        count=len(stored),
        events=pack_stored(stored),
        written_at_ms=now_ms,
        commit_id=services.random_bytes(12).hex(),
    )
    try:
        append.put(services, commit)
    except AppendConflict:
        return False
    return True


def _history(services: Services, tip: append.Tip) -> list[Copied]:
    """All that the log at `tip` is to begin with, as whoever began it has worked it out."""
    retry_of = tip.state.retry_of
    if retry_of is None:
        raise LogCorrupted(f"{tip.key} is a copy of nothing")
    failed = LogKey(tip.key.org, ExecutionId(retry_of.workflow_execution_id))
    events = _whole_log(services, failed, retry_of.sequence)
    return retried_history(events, tip.key.execution_id, retry_of=retry_of, begins_at_ms=tip.state.created_at_ms)


def _write_next(services: Services, tip: append.Tip, rest: Sequence[Copied]) -> append.Tip:
    """Append as much of the rest as one commit may hold."""
    stored = _stored(services, tip.key, rest)
    fitting = _fitting(services, stored)
    draft = Draft(tip.state, services.clock.now_ms())
    draft.emit(*(copied.data for copied in rest[:fitting]))
    return append.write(services, tip, draft, stored[:fitting])


def _stored(services: Services, key: LogKey, history: Sequence[Copied]) -> list[bytes]:
    """As commits hold it. Large values are where the old log has them: what is stored is named by its content."""
    return [
        stored_form(payloads.offload(services, key.org, copied.data), copied.happened_at_ms) for copied in history
    ]


def _fitting(services: Services, stored: Sequence[bytes]) -> int:
    return append.fitting(stored, services.settings.max_commit_bytes)


def _whole_log(services: Services, key: LogKey, last: int) -> list[Event]:
    """Every event of a log that has ended at `last`.

    Raises:
        LogCorrupted: it is not all there.
    """
    events = [event for commit in services.log.read(key, after=0) for event in unpack_events(commit)]
    if [event.sequence for event in events] != list(range(1, last + 1)):
        raise LogCorrupted(f"the history of {key} is not 1 to {last}")
    return events
