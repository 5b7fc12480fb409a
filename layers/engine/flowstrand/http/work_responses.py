"""Response bodies about what an execution has asked for."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pydantic import Field

from flowstrand.engine.events import ErrorInfo, TaskStatus, WorkflowStatus
from flowstrand.engine.schema import rfc3339, to_json
from flowstrand.http.response_body import ErrorView, ResponseBody
from flowstrand.http.work_query import cursor_text
from flowstrand.service.work_listing import ChildSummary, TaskSummary, WorkPage


class TaskStanding(ResponseBody):
    """A task as it stands; `queue` while it is open, `error` once it has failed.

    `last_heartbeat_at` and `progress` while an attempt runs that has said so; of the first 100 such tasks of a page.
    """

    task_execution_id: str
    kind: str
    status: TaskStatus
    execution_count: int
    max_retries: int
    sequence: int
    queue: str | None = None
    worker_id: str | None = None
    error: ErrorView | None = None
    failure_type: str | None = None
    progress: float | None = None
    last_heartbeat_at: str | None = None


class ChildStanding(ResponseBody):
    """A child as its parent knows it."""

    child_workflow_id: str
    kind: str
    name: str
    status: WorkflowStatus
    sequence: int
    queue: str | None = None
    error: ErrorView | None = None
    failure_type: str | None = None


class TasksFound(ResponseBody):
    """A page of tasks. `next_cursor` is there if there may be more."""

    tasks: list[TaskStanding]
    next_cursor: str | None = None

    @classmethod
    def of(cls, page: WorkPage[TaskSummary]) -> TasksFound:
        """What `page` holds."""
        return cls(tasks=[_standing(task) for task in page.items], **_next(page))


class ChildrenFound(ResponseBody):
    """A page of child workflows. `next_cursor` is there if there may be more."""

    children: list[ChildStanding]
    next_cursor: str | None = None

    @classmethod
    def of(cls, page: WorkPage[ChildSummary]) -> ChildrenFound:
        """What `page` holds."""
        return cls(children=[ChildStanding(**_given(child)) for child in page.items], **_next(page))


class StateFound(ResponseBody):
    """The workflow's own state, by key."""

    state: dict[str, Any] = Field(default_factory=dict)


def _standing(task: TaskSummary) -> TaskStanding:
    given = _given(task)
    at_ms = given.pop("heartbeat_at_ms", None)
    if at_ms is not None:
        given["last_heartbeat_at"] = rfc3339(at_ms)
    return TaskStanding(**given)


def _given(summary: TaskSummary | ChildSummary) -> dict[str, Any]:
    """The fields that are there."""
    values = {field.name: getattr(summary, field.name) for field in fields(summary)}
    return {
        name: to_json(value) if isinstance(value, ErrorInfo) else value
        for name, value in values.items()
        if value is not None
    }


def _next(page: WorkPage[Any]) -> dict[str, str]:
    return {} if page.next is None else {"next_cursor": cursor_text(page.next)}
