"""The attempts of a task, as its log has them, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import (
    ErrorInfo,
    Event,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStarted,
    TaskStatus,
)
from flowstrand.engine.ids import OrgId
from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.packing import unpack_events
from flowstrand.service import append
from flowstrand.service.container import Services
from flowstrand.service.task_address import SCANNED, address_of, creation_of, require_log


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSummary:
    """One attempt.

    Attributes:
        attempt: from 1.
        status: RUNNING, or how it ended; FAILED also where another attempt follows.
        sequence: of its `TASK_STARTED`.
        error: why it failed.
        retry_at_ms: from when the next one could begin; None where none was to follow.
    """

    attempt: int
    status: TaskStatus
    sequence: int
    worker_id: str | None
    started_at_ms: int
    ended_at_ms: int | None = None
    error: ErrorInfo | None = None
    failure_type: str | None = None
    retry_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page starts: behind this sequence, amid the attempt that started at `started_at`, if at any."""

    after: int = 0
    started_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPage:
    """At most as many as asked for; fewer, or none, with more to come where `next` is there."""

    attempts: tuple[AttemptSummary, ...]
    next: Cursor | None


def attempts(services: Services, org: OrgId, task_id: str, *, limit: int, start: Cursor) -> AttemptPage:
    """Attempts from `start` on, in their order; looks at no more than a part of a long log.

    Raises:
        NotFound: `TASK_NOT_FOUND`: unknown, or another org's.
        InvalidInput: `start` is no page's `next`.
    """
    key, _ = address_of(org, task_id)
    tip = require_log(services, key)
    created = creation_of(services, tip, task_id)
    assert isinstance(created.data, TaskCreated)
    position = created.data.position
    running = _started(services, tip, start, position) if start.started_at else None
    found: list[AttemptSummary] = []
    covered = max(start.after, created.sequence)
    for event in _events(services, tip, covered):
        began, ended = _begun(event, position), _ended(event, position, running)
        if (began or ended) and len(found) == limit:
            return AttemptPage(attempts=tuple(found), next=_next(covered, running))
        if ended is not None:
            found.append(ended)
        running = began or (None if ended else running)
        covered = event.sequence
    if covered < tip.state.sequence:
        return AttemptPage(attempts=tuple(found), next=_next(covered, running))
    return AttemptPage(attempts=(*found, running) if running else tuple(found), next=None)


def _events(services: Services, tip: append.Tip, after: int) -> Iterator[Event]:
    for commit in services.log.read(tip.key, after=after, limit=SCANNED):
        for event in unpack_events(commit):
            if after < event.sequence <= tip.state.sequence:
                yield event


def _begun(event: Event, position: int) -> AttemptSummary | None:
    data = event.data
    if not isinstance(data, TaskStarted) or data.position != position:
        return None
    return AttemptSummary(
        attempt=data.attempt,
        status=TaskStatus.RUNNING,
        sequence=event.sequence,
        worker_id=data.worker_id,
        started_at_ms=event.timestamp_ms,
    )


def _ended(event: Event, position: int, running: AttemptSummary | None) -> AttemptSummary | None:
    """The running attempt as this event ends it; None where it does not, or where none runs."""
    data = event.data
    if running is None or not isinstance(data, TaskCompleted | TaskFailed | TaskCancelled):
        return None
    if data.position != position:
        return None
    failed = data if isinstance(data, TaskFailed) else None
    return replace(
        running,
        status=TaskStatus.FAILED if failed else data.status,
        ended_at_ms=event.timestamp_ms,
        error=failed.error if failed else None,
        failure_type=failed.failure_type if failed else None,
        retry_at_ms=failed.retry_at_ms if failed else None,
    )


def _started(services: Services, tip: append.Tip, start: Cursor, position: int) -> AttemptSummary:
    commit = services.log.commit_at(tip.key, start.started_at)
    event = unpack_events(commit)[start.started_at - commit.sequence] if commit else None
    begun = _begun(event, position) if event and event.sequence <= start.after else None
    if begun is None:
        fault: JsonObject = {"pointer": "/cursor", "message": "must be the nextCursor of another page"}
        raise InvalidInput("the cursor is not one of this task's", details=[fault])
    return begun


def _next(covered: int, running: AttemptSummary | None) -> Cursor:
    return Cursor(after=covered, started_at=running.sequence if running else 0)
