"""Response bodies of the routes that workers run attempts by."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.schema import rfc3339
from flowstrand.http.response_body import Moment, ResponseBody
from flowstrand.service.polling import Polled
from flowstrand.service.tasks import ClaimedTask


class TaskView(ResponseBody):
    """A claimed attempt.

    `workflow_execution_id` is there unless the task is standalone, `non_retryable` where the task's retry policy names errors, `heartbeat_details` where an earlier attempt left some,
    `traceparent` where whoever started the execution has a trace.
    """

    task_execution_id: str
    workflow_execution_id: str | None = None
    kind: str
    input: Any
    attempt: int
    max_retries: int
    lease_token: str
    lease_ends_at: Moment
    heartbeat_ms: int
    non_retryable: list[str] | None = None
    heartbeat_details: Any = None
    input_url: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    @classmethod
    def of(cls, task: ClaimedTask) -> TaskView:
        """What `task` says."""
        optional: dict[str, Any] = {"non_retryable": list(task.non_retryable)} if task.non_retryable else {}
        if task.heartbeat_details is not None:
            optional["heartbeat_details"] = task.heartbeat_details
        if task.input_url is not None:
            optional["input_url"] = task.input_url
        if task.traceparent is not None:
            optional["traceparent"] = task.traceparent
        if task.tracestate is not None:
            optional["tracestate"] = task.tracestate
        if task.workflow_execution_id is not None:
            optional["workflow_execution_id"] = task.workflow_execution_id
        return cls(
            task_execution_id=task.task_execution_id,
            kind=task.kind,
            input=task.input,
            attempt=task.attempt,
            max_retries=task.max_retries,
            lease_token=task.lease_token,
            lease_ends_at=rfc3339(task.lease_ends_at_ms),
            heartbeat_ms=task.heartbeat_ms,
            **optional,
        )


class ClaimedTasks(ResponseBody):
    """What a poll brought, possibly nothing.

    `paused` is there where the queue is, `worker_known` where the worker has to register, perhaps again.
    """

    tasks: list[TaskView]
    paused: bool | None = None
    worker_known: bool | None = None

    @classmethod
    def of(cls, polled: Polled, *, is_worker_known: bool) -> ClaimedTasks:
        """What `polled` says."""
        optional = {"paused": True} if polled.is_paused else {}
        optional |= {} if is_worker_known else {"worker_known": False}
        return cls(tasks=[TaskView.of(task) for task in polled.tasks], **optional)


class Heartbeat(ResponseBody):
    """Whether the worker should stop."""

    cancel_requested: bool
