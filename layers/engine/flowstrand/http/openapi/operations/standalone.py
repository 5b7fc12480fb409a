"""Standalone tasks, and looking at any."""

from __future__ import annotations

from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import (
    BUSY,
    CURSOR_EXPIRED,
    EXECUTION_CLOSED,
    EXECUTION_EXPIRED,
    IDEMPOTENCY_KEY_REUSED,
    OF_VALUES,
    OVER_QUOTA,
    POSITION_BEYOND_TAIL,
    TASK_NOT_FOUND,
    TASK_OF_WORKFLOW,
    UNKNOWN_TASK_KIND,
    UNPROCESSABLE_INPUT,
)
from flowstrand.http.reading_query import HistoryQuery, LastEventId, StreamQuery
from flowstrand.http.reading_responses import HistoryFound
from flowstrand.http.response_body import Recorded
from flowstrand.http.task_log_requests import LogsQuery
from flowstrand.http.task_log_responses import LogsFound
from flowstrand.http.task_requests import AttemptsQuery, CancelTaskQuery, StartTask
from flowstrand.http.task_responses import AttemptsFound, TaskExecutionStarted, TaskExecutionView
from flowstrand.http.trace_headers import TraceHeaders
from flowstrand.service.keys import Principal

TAG = "tasks"

OPERATIONS = (
    Operation(
        method="POST",
        path="/task-executions",
        name="startTask",
        tag=TAG,
        summary="Start a standalone task",
        description=(
            "A task without an execution around it: its own small log begins with `TASK_CREATED` and ends with the task. "
            "With an `idempotencyKey` it is started once, however often it is asked for."
        ),
        principal=Principal.USER,
        body=StartTask,
        headers=TraceHeaders,
        answers={
            200: Answer(
                meaning="The task that the idempotency key stands for.",
                body=TaskExecutionStarted,
                has_location=True,
            ),
            201: Answer(meaning="It was created.", body=TaskExecutionStarted, has_location=True),
        },
        refusals=(*OF_VALUES, OVER_QUOTA, UNKNOWN_TASK_KIND, IDEMPOTENCY_KEY_REUSED, UNPROCESSABLE_INPUT),
    ),
    Operation(
        method="GET",
        path="/task-executions/{taskId}",
        name="getTask",
        tag=TAG,
        summary="A task as it stands",
        description="A standalone one, or one of an execution.",
        principal=Principal.USER,
        answers={200: Answer(meaning="The task.", body=TaskExecutionView)},
        refusals=(TASK_NOT_FOUND, EXECUTION_EXPIRED),
    ),
    Operation(
        method="DELETE",
        path="/task-executions/{taskId}",
        name="cancelTask",
        tag=TAG,
        summary="Cancel a standalone task",
        description="It has ended with that; its worker hears of it with its next heartbeat. Repeating it changes nothing.",
        principal=Principal.USER,
        query=CancelTaskQuery,
        answers={200: Answer(meaning="The sequence of its `TASK_CANCELLED`.", body=Recorded)},
        refusals=(TASK_NOT_FOUND, TASK_OF_WORKFLOW, EXECUTION_EXPIRED, EXECUTION_CLOSED, BUSY),
    ),
    Operation(
        method="GET",
        path="/task-executions/{taskId}/attempts",
        name="listAttempts",
        tag=TAG,
        summary="The attempts of a task",
        description="The first one first. A page may be empty with more to come, where the log between is long.",
        principal=Principal.USER,
        query=AttemptsQuery,
        answers={200: Answer(meaning="A page of attempts.", body=AttemptsFound)},
        refusals=(TASK_NOT_FOUND, EXECUTION_EXPIRED),
    ),
    Operation(
        method="GET",
        path="/task-executions/{taskId}/logs",
        name="readTaskLogs",
        tag=TAG,
        summary="What a task's attempts have logged",
        description=(
            "Attempt by attempt, each in the order in which it was said. Kept as long as the log that the task is in. A page "
            "may be empty with more to come, where a filter leaves much out."
        ),
        principal=Principal.USER,
        query=LogsQuery,
        answers={200: Answer(meaning="A page of records.", body=LogsFound)},
        refusals=(TASK_NOT_FOUND, EXECUTION_EXPIRED),
    ),
    Operation(
        method="GET",
        path="/task-executions/{taskId}/events",
        name="readTaskEvents",
        tag=TAG,
        summary="A page of a standalone task's history, or a long-poll",
        description="As of an execution: the log ends with the task.",
        principal=Principal.USER,
        takes_ticket=True,
        query=HistoryQuery,
        answers={200: Answer(meaning="Consecutive events.", body=HistoryFound)},
        refusals=(TASK_NOT_FOUND, TASK_OF_WORKFLOW, POSITION_BEYOND_TAIL, EXECUTION_EXPIRED, CURSOR_EXPIRED),
    ),
    Operation(
        method="GET",
        path="/task-executions/{taskId}/stream",
        name="streamTaskEvents",
        tag=TAG,
        summary="A standalone task's history and whatever comes, as Server-Sent Events",
        description="As of an execution.",
        principal=Principal.USER,
        takes_ticket=True,
        query=StreamQuery,
        headers=LastEventId,
        answers={
            200: Answer(meaning="Events, until the task or the response ends.", is_stream=True),
            204: Answer(meaning="The task has ended, and the reader has its last event."),
        },
        refusals=(TASK_NOT_FOUND, TASK_OF_WORKFLOW, POSITION_BEYOND_TAIL, EXECUTION_EXPIRED, CURSOR_EXPIRED),
    ),
)
