"""Response bodies about tasks as clients see them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flowstrand.engine.events import TaskStatus
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schema import rfc3339, to_json
from flowstrand.http.response_body import Links, ResponseBody
from flowstrand.http.task_requests import cursor_text
from flowstrand.service.append import Tip
from flowstrand.service.attempts import AttemptPage, AttemptSummary
from flowstrand.service.leases import Heartbeat
from flowstrand.service.task_snapshots import TaskSnapshot


class TaskLinks(ResponseBody):
    """Where a task can be read, from the server's root; `events` and `stream` are its execution's, if it has one."""

    itself: str = Field(alias="self")
    events: str
    stream: str

    @classmethod
    def of(cls, org: OrgId, task_id: str, workflow_execution_id: str | None = None) -> TaskLinks:
        """The paths of one task."""
        itself = f"/api/orgs/{org}/task-executions/{task_id}"
        log = Links.of(org, workflow_execution_id) if workflow_execution_id else None
        return cls(
            itself=itself,
            events=log.events if log else f"{itself}/events",
            stream=log.stream if log else f"{itself}/stream",
        )


class TaskExecutionStarted(ResponseBody):
    """201: the task that now exists; 200: the one that the idempotency key stands for."""

    task_execution_id: str
    status: TaskStatus
    kind: str
    created_at: str
    links: TaskLinks
    idempotency_key_used: bool
    idempotency_key_new: bool

    @classmethod
    def of(cls, tip: Tip, *, is_keyed: bool = False, is_key_new: bool = False) -> TaskExecutionStarted:
        """A new task, or with a key perhaps one that was there."""
        return cls(
            task_execution_id=tip.state.workflow_execution_id,
            status=TaskStatus(tip.state.status),
            kind=tip.state.kind,
            created_at=rfc3339(tip.state.created_at_ms),
            links=TaskLinks.of(tip.key.org, tip.state.workflow_execution_id),
            idempotency_key_used=is_keyed,
            idempotency_key_new=is_key_new,
        )


class LastHeartbeat(ResponseBody):
    """What a task's worker has said last; `details` are for the next attempt."""

    attempt: int
    at: str
    details: Any = None
    progress: float | None = None

    @classmethod
    def of(cls, beat: Heartbeat) -> LastHeartbeat:
        """What `beat` says."""
        given = {"details": beat.details, "progress": beat.progress}
        present: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return cls(attempt=beat.attempt, at=rfc3339(beat.at_ms), **present)


class TaskExecutionView(ResponseBody):
    """A task as of `current_sequence` of its log. `output` is there once it is COMPLETED, and may be null."""

    task_execution_id: str
    kind: str
    status: TaskStatus
    queue: str
    created_at: str
    execution_count: int
    max_retries: int
    current_sequence: int
    links: TaskLinks
    workflow_execution_id: str | None = None
    metadata: dict[str, Any] | None = None
    worker_id: str | None = None
    ended_at: str | None = None
    retry_at: str | None = None
    output: Any = None
    error: dict[str, Any] | None = None
    failure_type: str | None = None
    last_heartbeat: LastHeartbeat | None = None

    @classmethod
    def of(cls, org: OrgId, task: TaskSnapshot) -> TaskExecutionView:
        """What `task` says."""
        return cls(
            task_execution_id=task.task_execution_id,
            kind=task.kind,
            status=task.status,
            queue=task.queue,
            created_at=rfc3339(task.created_at_ms),
            execution_count=task.execution_count,
            max_retries=task.max_retries,
            current_sequence=task.current_sequence,
            links=TaskLinks.of(org, task.task_execution_id, task.workflow_execution_id),
            **_optional(task),
        )


class AttemptView(ResponseBody):
    """One attempt of a task; `ended_at` once it has ended, `error` where it has failed, `retry_at` where another was to follow."""

    attempt: int
    status: TaskStatus
    sequence: int
    started_at: str
    worker_id: str | None = None
    ended_at: str | None = None
    error: dict[str, Any] | None = None
    failure_type: str | None = None
    retry_at: str | None = None

    @classmethod
    def of(cls, attempt: AttemptSummary) -> AttemptView:
        """What `attempt` says."""
        given: dict[str, Any] = {
            "worker_id": attempt.worker_id,
            "ended_at": _time(attempt.ended_at_ms),
            "error": None if attempt.error is None else to_json(attempt.error),
            "failure_type": attempt.failure_type,
            "retry_at": _time(attempt.retry_at_ms),
        }
        return cls(
            attempt=attempt.attempt,
            status=attempt.status,
            sequence=attempt.sequence,
            started_at=rfc3339(attempt.started_at_ms),
            **{name: value for name, value in given.items() if value is not None},
        )


class AttemptsFound(ResponseBody):
    """A page of attempts. `next_cursor` is there if there may be more."""

    attempts: list[AttemptView]
    next_cursor: str | None = None

    @classmethod
    def of(cls, page: AttemptPage) -> AttemptsFound:
        """What `page` holds."""
        views = [AttemptView.of(attempt) for attempt in page.attempts]
        more = {} if page.next is None else {"next_cursor": cursor_text(page.next)}
        return cls(attempts=views, **more)


def _optional(task: TaskSnapshot) -> dict[str, Any]:
    """The fields that not every task has."""
    given: dict[str, Any] = {
        "workflow_execution_id": task.workflow_execution_id,
        "metadata": task.metadata,
        "worker_id": task.worker_id,
        "ended_at": _time(task.ended_at_ms),
        "retry_at": _time(task.retry_at_ms),
        "error": None if task.error is None else to_json(task.error),
        "failure_type": task.failure_type,
        "last_heartbeat": None if task.heartbeat is None else LastHeartbeat.of(task.heartbeat),
    }
    present = {name: value for name, value in given.items() if value is not None}
    if task.status is TaskStatus.COMPLETED:
        present["output"] = task.output
    return present


def _time(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else rfc3339(epoch_ms)
