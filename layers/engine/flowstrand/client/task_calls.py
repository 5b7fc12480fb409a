"""Requests of the routes of tasks, shared by the asynchronous and the synchronous client."""

from __future__ import annotations

from typing import cast

from flowstrand.client.call import Call, start_once
from flowstrand.client.connection import Connection
from flowstrand.client.pages import Pages
from flowstrand.client.task_execution import TaskAttempt
from flowstrand.client.task_log import LogLevelName, TaskLogRecord
from flowstrand.client.task_start_options import TaskStartOptions
from flowstrand.engine.schema import to_json
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.task import TaskDefinition
from flowstrand.sdk.task_options import TaskKeywords, TaskOptions

_TERMS = TaskKeywords.__annotations__.keys()


def start(to: Connection, task: object, kind: str, input: JsonValue, options: TaskStartOptions) -> Call:
    """Start a standalone task, on its definition's terms where none are given.

    Repeatable under an idempotency key only: otherwise a second one would start another.

    Raises:
        TypeError: there is no such option.
        InvalidDefinition: a value is out of range.
    """
    if unknown := options.keys() - TaskStartOptions.__annotations__.keys():
        raise TypeError(f"there is no option {', '.join(sorted(unknown))}")
    given = cast(TaskKeywords, {name: value for name, value in options.items() if name in _TERMS})
    terms = TaskOptions(**given)
    if isinstance(task, TaskDefinition):
        terms = terms.over(task.options)
    body: JsonObject = {"kind": kind, "input": input, **_terms(terms)}
    if (metadata := options.get("metadata")) is not None:
        body["metadata"] = metadata
    return start_once(to.path("task-executions"), f"task {kind}", body, options)


def get(to: Connection, task_id: str) -> Call:
    """A task as it is now."""
    return Call(method="GET", path=to.path("task-executions", task_id), repeatable=True)


def cancel(to: Connection, task_id: str, reason: str | None) -> Call:
    """Cancel a standalone task."""
    params = {} if reason is None else {"reason": reason}
    return Call(method="DELETE", path=to.path("task-executions", task_id), params=params, repeatable=True)


def attempts(to: Connection, task_id: str) -> Pages[TaskAttempt]:
    """A task's attempts."""
    path = to.path("task-executions", task_id, "attempts")
    return Pages(path=path, items="attempts", read=TaskAttempt.of, by="cursor")


def logs(to: Connection, task_id: str, attempt: int | None, level: LogLevelName | None) -> Pages[TaskLogRecord]:
    """What a task's attempts have logged."""
    asked = {"attempt": attempt, "level": level}
    return Pages(
        path=to.path("task-executions", task_id, "logs"),
        items="records",
        read=TaskLogRecord.of,
        by="cursor",
        params={name: str(value) for name, value in asked.items() if value is not None},
    )


def _terms(options: TaskOptions) -> JsonObject:
    terms = options.terms()
    said: dict[str, JsonValue] = {
        "queue": options.queue,
        "retry": None if options.retry is None else to_json(options.retry.engine()),
        "timeoutMs": terms.timeout_ms,
        "startToCloseMs": terms.start_to_close_ms,
        "heartbeatTimeoutMs": terms.heartbeat_timeout_ms,
        "priority": terms.priority,
    }
    return {name: value for name, value in said.items() if value is not None}
