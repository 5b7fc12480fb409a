"""Looking into an execution: its state, its tasks and its children."""

from __future__ import annotations

from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import EXECUTION_EXPIRED, EXECUTION_NOT_FOUND, STATE_TOO_LARGE
from flowstrand.http.work_query import StateQuery, WorkQuery
from flowstrand.http.work_responses import ChildrenFound, StateFound, TasksFound
from flowstrand.service.keys import Principal

TAG = "executions"

OPERATIONS = (
    Operation(
        method="GET",
        path="/workflow-executions/{executionId}/state",
        name="getExecutionState",
        tag=TAG,
        summary="What the workflow's code has set and not cleared",
        principal=Principal.USER,
        query=StateQuery,
        answers={200: Answer(meaning="The values, by key.", body=StateFound)},
        refusals=(EXECUTION_NOT_FOUND, EXECUTION_EXPIRED, STATE_TOO_LARGE),
    ),
    Operation(
        method="GET",
        path="/workflow-executions/{executionId}/tasks",
        name="listExecutionTasks",
        tag=TAG,
        summary="An execution's tasks, open ones first",
        principal=Principal.USER,
        query=WorkQuery,
        answers={200: Answer(meaning="A page.", body=TasksFound)},
        refusals=(
            EXECUTION_NOT_FOUND,
            EXECUTION_EXPIRED,
        ),
    ),
    Operation(
        method="GET",
        path="/workflow-executions/{executionId}/children",
        name="listExecutionChildren",
        tag=TAG,
        summary="An execution's child workflows, open ones first",
        principal=Principal.USER,
        query=WorkQuery,
        answers={200: Answer(meaning="A page.", body=ChildrenFound)},
        refusals=(
            EXECUTION_NOT_FOUND,
            EXECUTION_EXPIRED,
        ),
    ),
)
