"""A task as it stands: a standalone one, or one of an execution."""

from __future__ import annotations

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import (
    ErrorInfo,
    Event,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStatus,
)
from flowstrand.engine.ids import OrgId
from flowstrand.engine.state import OpenTask
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append, leases, payloads
from flowstrand.service.container import Services
from flowstrand.service.leases import Heartbeat
from flowstrand.service.task_address import SCANNED, address_of, creation_of, require_known


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSnapshot:
    """A task at `current_sequence` of its log.

    Attributes:
        workflow_execution_id: whose task it is; None for a standalone one.
        execution_count: how many attempts have begun.
        worker_id: whose the running attempt is, or the last one was.
        ended_at_ms: when it ended for good.
        retry_at_ms: from when the next attempt may begin, where one has failed.
        output: of a completed one.
        error: why it has failed, or why its last attempt did where another is to come; of a cancelled one, the reason.
        heartbeat: what has been heard of it last.
    """

    task_execution_id: str
    workflow_execution_id: str | None
    kind: str
    status: TaskStatus
    queue: str
    created_at_ms: int
    execution_count: int
    max_retries: int
    current_sequence: int
    metadata: JsonObject | None = None
    worker_id: str | None = None
    ended_at_ms: int | None = None
    retry_at_ms: int | None = None
    output: JsonValue = None
    error: ErrorInfo | None = None
    failure_type: str | None = None
    heartbeat: Heartbeat | None = None


def get(services: Services, org: OrgId, task_id: str) -> TaskSnapshot:
    """The task as it stands. Of an execution's task that has ended, this reads the execution's log.

    Raises:
        NotFound: `TASK_NOT_FOUND`: unknown, or another org's.
        Gone: `EXECUTION_EXPIRED`: the log of the execution that it is part of is not kept any more.
    """
    key, _ = address_of(org, task_id)
    return snapshot(services, require_known(services, key), task_id)


def snapshot(services: Services, tip: append.Tip, task_id: str) -> TaskSnapshot:
    """The task at `tip` of its log. Raises what `get` raises."""
    created = creation_of(services, tip, task_id)
    assert isinstance(created.data, TaskCreated)
    known = tip.state.tasks.get(created.data.position)
    if known is None:
        return _ended(services, tip, created, created.data)
    return _open(services, tip, created, known)


def _open(services: Services, tip: append.Tip, created: Event, known: OpenTask) -> TaskSnapshot:
    failed = (
        _failure_at(services, tip.key, known) if known.attempts and known.status is TaskStatus.PENDING else None
    )
    return TaskSnapshot(
        task_execution_id=known.task_execution_id,
        workflow_execution_id=_workflow_of(tip),
        kind=known.kind,
        status=known.status,
        queue=known.queue,
        created_at_ms=created.timestamp_ms,
        execution_count=known.attempts,
        max_retries=known.retry.max_retries,
        current_sequence=tip.state.sequence,
        metadata=_metadata_of(tip),
        worker_id=known.worker_id,
        retry_at_ms=failed.retry_at_ms if failed else None,
        error=failed.error if failed else None,
        failure_type=failed.failure_type if failed else None,
        heartbeat=leases.last_heartbeat(services.directory, known.task_execution_id),
    )


def _ended(services: Services, tip: append.Tip, created: Event, asked: TaskCreated) -> TaskSnapshot:
    ended = _end_of(services, tip, created)
    end = ended.data
    assert isinstance(end, TaskCompleted | TaskFailed | TaskCancelled)
    failed = end if isinstance(end, TaskFailed) else None
    return TaskSnapshot(
        task_execution_id=end.task_execution_id,
        workflow_execution_id=_workflow_of(tip),
        kind=end.kind,
        status=end.status,
        queue=asked.queue,
        created_at_ms=created.timestamp_ms,
        execution_count=end.execution_count,
        max_retries=end.max_retries,
        current_sequence=tip.state.sequence,
        metadata=_metadata_of(tip),
        worker_id=end.worker_id,
        ended_at_ms=ended.timestamp_ms,
        output=payloads.fetch(services, tip.key.org, end.output) if isinstance(end, TaskCompleted) else None,
        error=failed.error if failed else _reason(end),
        failure_type=failed.failure_type if failed else None,
        heartbeat=leases.last_heartbeat(services.directory, end.task_execution_id),
    )


def _end_of(services: Services, tip: append.Tip, created: Event) -> Event:
    """The permanent end of a task that is open no more: of a standalone one, the last event of its log."""
    assert isinstance(created.data, TaskCreated)
    after = tip.state.sequence - 1 if tip.state.is_task else created.sequence
    while after < tip.state.sequence:
        for commit in services.log.read(tip.key, after=after, limit=SCANNED):
            for event in unpack_events(commit):
                if is_end_of(event, created.data.position):
                    return event
            after = commit.last_sequence
    raise LogCorrupted(f"{created.data.task_execution_id} is not open and has no end")


def is_end_of(event: Event, position: int) -> bool:
    """Whether the event ends the task at `position` for good."""
    match event.data:
        case TaskCompleted() | TaskFailed() | TaskCancelled() as end:
            return end.position == position and end.status is not TaskStatus.PENDING
        case _:
            return False


def _failure_at(services: Services, key: LogKey, known: OpenTask) -> TaskFailed | None:
    """Why the last attempt failed, of a task that waits for its next one."""
    commit = services.log.commit_at(key, known.changed_at)
    data = unpack_events(commit)[known.changed_at - commit.sequence].data if commit else None
    return data if isinstance(data, TaskFailed) else None


def _reason(end: TaskCompleted | TaskCancelled | TaskFailed) -> ErrorInfo | None:
    if not isinstance(end, TaskCancelled):
        return None
    return ErrorInfo(type="TaskCancelled", message=end.reason or "the task was cancelled")


def _workflow_of(tip: append.Tip) -> str | None:
    return None if tip.state.is_task else tip.state.workflow_execution_id


def _metadata_of(tip: append.Tip) -> JsonObject | None:
    return tip.state.metadata if tip.state.is_task else None
