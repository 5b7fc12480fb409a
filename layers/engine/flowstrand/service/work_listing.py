"""What an execution has asked for: its tasks and its children, open and ended, page by page.

Open ones are in the execution's state, ended ones in its log. What ends while somebody turns the pages is shown twice, as open
and as ended; nothing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import (
    ChildCompleted,
    ChildFailed,
    ErrorInfo,
    Event,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskStatus,
    WorkflowStatus,
)
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.state import ExecutionState, OpenChild, OpenTask
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append, leases
from flowstrand.service.container import Services

_SCANNED = 1_000
"""How many events one page looks at, at most."""
_HEARTBEATS = 100
"""How many running tasks of one page are shown with their heartbeats."""


class Stage(StrEnum):
    """Open ones are shown first, by position; then ended ones, in the order of their ends."""

    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page starts: behind this position (open) or this sequence (ended)."""

    stage: Stage
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSummary:
    """A task as it stands.

    Attributes:
        execution_count: attempts begun.
        sequence: of its newest event.
        progress, heartbeat_at_ms: what its running attempt said with its newest heartbeat, and when.
    """

    task_execution_id: str
    kind: str
    status: TaskStatus
    execution_count: int
    max_retries: int
    sequence: int
    queue: str | None = None
    worker_id: str | None = None
    error: ErrorInfo | None = None
    failure_type: str | None = None
    progress: float | None = None
    heartbeat_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSummary:
    """A child as its parent knows it: PENDING until its log is known to have begun, RUNNING or CANCELLING until its end."""

    child_workflow_id: str
    kind: str
    name: str
    status: WorkflowStatus
    sequence: int
    queue: str | None = None
    error: ErrorInfo | None = None
    failure_type: str | None = None


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPage(Generic[T]):
    """At most as many as asked for; fewer, or none, with more to come where `next` is there."""

    items: tuple[T, ...]
    next: Cursor | None


_OpenOnes: TypeAlias = Callable[[ExecutionState], Iterable[tuple[int, T]]]
_EndedOne: TypeAlias = Callable[[Event], T | None]


def tasks(
    services: Services, org: OrgId, execution_id: str, *, limit: int, start: Cursor, only: Stage | None = None
) -> WorkPage[TaskSummary]:
    """Tasks from `start` on.

    Args:
        only: leave out the others.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`: unknown, or another org's.
    """
    key = LogKey(org, ExecutionId(execution_id))
    page = _page(services, key, limit, start, only, _open_tasks, _ended_task)
    return replace(page, items=tuple(_with_heartbeats(services, page.items)))


def children(
    services: Services, org: OrgId, execution_id: str, *, limit: int, start: Cursor, only: Stage | None = None
) -> WorkPage[ChildSummary]:
    """Child workflows from `start` on. Takes and raises what `tasks` does."""
    return _page(
        services, LogKey(org, ExecutionId(execution_id)), limit, start, only, _open_children, _ended_child
    )


def _page(
    services: Services,
    key: LogKey,
    limit: int,
    start: Cursor,
    only: Stage | None,
    open_ones: _OpenOnes[T],
    ended_one: _EndedOne[T],
) -> WorkPage[T]:
    tip = append.require(services, key)
    found: list[T] = []
    if start.stage is Stage.OPEN and only is not Stage.ENDED:
        last = start.after
        for position, item in open_ones(tip.state):
            if position > start.after:
                if len(found) == limit:
                    return WorkPage(items=tuple(found), next=Cursor(stage=Stage.OPEN, after=last))
                found.append(item)
                last = position
    if only is Stage.OPEN:
        return WorkPage(items=tuple(found), next=None)
    after = start.after if start.stage is Stage.ENDED else 0
    covered = _scan(services, key, after, limit, found, ended_one)
    more = Cursor(stage=Stage.ENDED, after=covered) if covered < tip.state.sequence else None
    return WorkPage(items=tuple(found), next=more)


def _scan(services: Services, key: LogKey, after: int, limit: int, found: list[T], ended_one: _EndedOne[T]) -> int:
    """Add to `found`, up to `limit`, what has ended beyond `after`; returns the last sequence looked at."""
    if len(found) == limit:
        return after
    covered = after
    for commit in services.log.read(key, after=after, limit=_SCANNED):
        for event in unpack_events(commit):
            if event.sequence <= after:
                continue
            ended = ended_one(event)
            if ended is not None and len(found) == limit:
                return covered
            covered = event.sequence
            if ended is not None:
                found.append(ended)
    return covered


def _with_heartbeats(services: Services, found: Iterable[TaskSummary]) -> Iterator[TaskSummary]:
    """Running tasks with what they said last; each is a read, so the first `_HEARTBEATS` of a page."""
    left = _HEARTBEATS
    for task in found:
        if task.status is not TaskStatus.RUNNING or not left:
            yield task
            continue
        left -= 1
        beat = leases.last_heartbeat(services.directory, task.task_execution_id, attempt=task.execution_count)
        yield task if beat is None else replace(task, progress=beat.progress, heartbeat_at_ms=beat.at_ms)


def _open_tasks(state: ExecutionState) -> Iterable[tuple[int, TaskSummary]]:
    return ((position, _of_open_task(task)) for position, task in sorted(state.tasks.items()))


def _of_open_task(task: OpenTask) -> TaskSummary:
    return TaskSummary(
        task_execution_id=task.task_execution_id,
        kind=task.kind,
        status=task.status,
        execution_count=task.attempts,
        max_retries=task.retry.max_retries,
        sequence=task.changed_at,
        queue=task.queue,
        worker_id=task.worker_id,
    )


def _ended_task(event: Event) -> TaskSummary | None:
    data = event.data
    if not isinstance(data, TaskCompleted | TaskFailed | TaskCancelled) or data.status is TaskStatus.PENDING:
        return None
    failed = data if isinstance(data, TaskFailed) else None
    return TaskSummary(
        task_execution_id=data.task_execution_id,
        kind=data.kind,
        status=data.status,
        execution_count=data.execution_count,
        max_retries=data.max_retries,
        sequence=event.sequence,
        worker_id=data.worker_id,
        error=failed.error if failed else None,
        failure_type=failed.failure_type if failed else None,
    )


def _open_children(state: ExecutionState) -> Iterable[tuple[int, ChildSummary]]:
    return ((position, _of_open_child(child)) for position, child in sorted(state.children.items()))


def _of_open_child(child: OpenChild) -> ChildSummary:
    status = WorkflowStatus.RUNNING if child.is_started else WorkflowStatus.PENDING
    return ChildSummary(
        child_workflow_id=child.child_workflow_id,
        kind=child.kind,
        name=child.name,
        status=status if child.cancel_at is None else WorkflowStatus.CANCELLING,
        sequence=child.changed_at,
        queue=child.queue,
    )


def _ended_child(event: Event) -> ChildSummary | None:
    data = event.data
    if not isinstance(data, ChildCompleted | ChildFailed):
        return None
    failed = data if isinstance(data, ChildFailed) else None
    return ChildSummary(
        child_workflow_id=data.child_workflow_id,
        kind=data.kind,
        name=data.name,
        status=data.status,
        sequence=event.sequence,
        error=failed.error if failed else None,
        failure_type=failed.failure_type if failed else None,
    )
