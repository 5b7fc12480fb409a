"""Claiming and reporting tasks."""

from __future__ import annotations

from flowstrand.http.attempt_requests import CompleteTask, FailTask, HeartbeatTask, PollQueue, StreamChunks
from flowstrand.http.attempt_responses import ClaimedTasks, Heartbeat
from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import (
    BUSY,
    EXECUTION_CLOSED,
    EXECUTION_EXPIRED,
    INVALID_LEASE,
    OF_VALUES,
    STALE_ATTEMPT,
    STREAM_LIMIT_REACHED,
    TASK_LOG_FULL,
    TASK_NOT_FOUND,
)
from flowstrand.http.response_body import Recorded
from flowstrand.http.task_log_requests import AppendLogs
from flowstrand.http.task_log_responses import LogsKept
from flowstrand.service.keys import Principal

TAG = "tasks"

_REPORTED = (EXECUTION_EXPIRED, TASK_NOT_FOUND, INVALID_LEASE, STALE_ATTEMPT, EXECUTION_CLOSED)

OPERATIONS = (
    Operation(
        method="POST",
        path="/queues/{queue}/poll",
        name="pollQueue",
        tag=TAG,
        summary="Claim tasks of a queue",
        description="The request is held until there is a task, or for `wait` seconds. A claimed attempt has a lease.",
        principal=Principal.WORKER,
        body=PollQueue,
        answers={200: Answer(meaning="The attempts that are now this worker's, if any.", body=ClaimedTasks)},
    ),
    Operation(
        method="POST",
        path="/task-executions/{taskId}/complete",
        name="completeTask",
        tag=TAG,
        summary="Report that an attempt succeeded",
        description="A repeated report is answered with the sequence that it got at first.",
        principal=Principal.WORKER,
        body=CompleteTask,
        answers={200: Answer(meaning="It is recorded.", body=Recorded)},
        refusals=(*OF_VALUES, *_REPORTED, BUSY),
    ),
    Operation(
        method="POST",
        path="/task-executions/{taskId}/fail",
        name="failTask",
        tag=TAG,
        summary="Report that an attempt failed",
        description="Another attempt follows, unless none is left or the failure is said not to be retryable.",
        principal=Principal.WORKER,
        body=FailTask,
        answers={200: Answer(meaning="It is recorded.", body=Recorded)},
        refusals=(*_REPORTED, BUSY),
    ),
    Operation(
        method="POST",
        path="/task-executions/{taskId}/heartbeat",
        name="heartbeatTask",
        tag=TAG,
        summary="Extend an attempt's lease",
        description="A task that was cancelled is to be given up: nothing that is reported of it is taken any more.",
        principal=Principal.WORKER,
        body=HeartbeatTask,
        answers={200: Answer(meaning="The lease lasts longer, or the task was cancelled.", body=Heartbeat)},
        refusals=_REPORTED,
    ),
    Operation(
        method="POST",
        path="/task-executions/{taskId}/stream",
        name="streamTask",
        tag=TAG,
        summary="Emit chunks of a running task",
        description=(
            "A repeated `requestId` appends nothing and is answered as at first. What one attempt may emit in all is limited; "
            "chunks that go beyond are refused together."
        ),
        principal=Principal.WORKER,
        body=StreamChunks,
        answers={200: Answer(meaning="They are recorded.", body=Recorded)},
        refusals=(*_REPORTED, STREAM_LIMIT_REACHED, BUSY),
    ),
    Operation(
        method="POST",
        path="/task-executions/{taskId}/logs",
        name="logTask",
        tag=TAG,
        summary="Keep what an attempt has logged",
        description=(
            "Records are no events: nobody is told of them. An attempt counts its batches from 1; one that is kept already "
            "stays as it is. What comes after the attempt's lease, or its execution, has ended is kept too."
        ),
        principal=Principal.WORKER,
        body=AppendLogs,
        answers={200: Answer(meaning="They are kept.", body=LogsKept)},
        refusals=(EXECUTION_EXPIRED, TASK_NOT_FOUND, INVALID_LEASE, TASK_LOG_FULL),
    ),
)
