"""Starting, listing, looking at, signalling, cancelling and retrying executions."""

from __future__ import annotations

from flowstrand.http.execution_requests import (
    CancelExecution,
    RetryExecution,
    SignalExecution,
    SignalWithStart,
    StartExecution,
)
from flowstrand.http.execution_responses import (
    ExecutionRetried,
    ExecutionStarted,
    ExecutionView,
    SignalledWithStart,
    SignalRecorded,
)
from flowstrand.http.listing_query import ListingQuery
from flowstrand.http.listing_responses import ExecutionsFound
from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import (
    BUSY,
    EXECUTION_CLOSED,
    EXECUTION_EXPIRED,
    EXECUTION_NOT_FAILED,
    EXECUTION_NOT_FOUND,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_CURSOR,
    OF_VALUES,
    OVER_QUOTA,
    UNKNOWN_WORKFLOW_KIND,
    UNPROCESSABLE_INPUT,
)
from flowstrand.http.response_body import Recorded
from flowstrand.http.trace_headers import TraceHeaders
from flowstrand.service.keys import Principal

TAG = "executions"

OPERATIONS = (
    Operation(
        method="POST",
        path="/workflow-executions",
        name="startExecution",
        tag=TAG,
        summary="Start an execution",
        description=(
            "With an idempotency key, at most one execution is started, however often and from wherever it is asked "
            "for: a key stands for its execution while that is open or completed, until its time to live has passed."
        ),
        principal=Principal.USER,
        body=StartExecution,
        headers=TraceHeaders,
        answers={
            201: Answer(meaning="An execution began.", body=ExecutionStarted, has_location=True),
            200: Answer(meaning="The key stands for this one.", body=ExecutionStarted, has_location=True),
        },
        refusals=(*OF_VALUES, OVER_QUOTA, UNKNOWN_WORKFLOW_KIND, UNPROCESSABLE_INPUT, IDEMPOTENCY_KEY_REUSED),
    ),
    Operation(
        method="GET",
        path="/workflow-executions",
        name="listExecutions",
        tag=TAG,
        summary="Executions, the newest first",
        description=(
            "All that is asked for must hold. The list lags behind the executions by a second or less, unless something is out of order. A "
            "page may hold fewer than `limit`, or none, and still not be the last: that is the one without `nextCursor`."
        ),
        principal=Principal.USER,
        query=ListingQuery,
        answers={200: Answer(meaning="A page.", body=ExecutionsFound)},
        refusals=(INVALID_CURSOR,),
    ),
    Operation(
        method="POST",
        path="/workflow-executions/signal-with-start",
        name="signalWithStart",
        tag=TAG,
        summary="Signal the open execution of a key, or start one with the signal",
        description="However many ask at once, one execution begins and every signal is recorded.",
        principal=Principal.USER,
        body=SignalWithStart,
        headers=TraceHeaders,
        answers={
            201: Answer(meaning="An execution began with the signal.", body=SignalledWithStart, has_location=True),
            200: Answer(meaning="The open one has the signal.", body=SignalledWithStart, has_location=True),
        },
        refusals=(
            *OF_VALUES,
            OVER_QUOTA,
            UNKNOWN_WORKFLOW_KIND,
            UNPROCESSABLE_INPUT,
            IDEMPOTENCY_KEY_REUSED,
            BUSY,
        ),
    ),
    Operation(
        method="GET",
        path="/workflow-executions/{executionId}",
        name="getExecution",
        tag=TAG,
        summary="An execution as it stands",
        principal=Principal.USER,
        answers={200: Answer(meaning="The execution.", body=ExecutionView)},
        refusals=(EXECUTION_NOT_FOUND,),
    ),
    Operation(
        method="POST",
        path="/workflow-executions/{executionId}/signal",
        name="signalExecution",
        tag=TAG,
        summary="Signal an execution",
        description="A repeated `requestId` is answered with the sequence that it got at first.",
        principal=Principal.USER,
        body=SignalExecution,
        answers={200: Answer(meaning="The signal is recorded.", body=SignalRecorded)},
        refusals=(*OF_VALUES, OVER_QUOTA, EXECUTION_NOT_FOUND, EXECUTION_EXPIRED, EXECUTION_CLOSED, BUSY),
    ),
    Operation(
        method="POST",
        path="/workflow-executions/{executionId}/cancel",
        name="cancelExecution",
        tag=TAG,
        summary="Ask an execution to end, or end it",
        description=(
            "Its code is told and may clean up; one that has not begun is cancelled at once, as is any with `force`."
        ),
        principal=Principal.USER,
        body=CancelExecution,
        answers={200: Answer(meaning="The request is recorded.", body=Recorded)},
        refusals=(EXECUTION_NOT_FOUND, EXECUTION_EXPIRED, EXECUTION_CLOSED, BUSY),
    ),
    Operation(
        method="POST",
        path="/workflow-executions/{executionId}/retry",
        name="retryExecution",
        tag=TAG,
        summary="Have another execution go on from the history of a failed one",
        description=(
            "Completed work is kept, the last turn is run again, and the work whose failure it was given is done again. A "
            "repeated `requestId` is answered with the execution that it began at first; without one, each request begins "
            "another."
        ),
        principal=Principal.USER,
        body=RetryExecution,
        answers={
            201: Answer(meaning="An execution began.", body=ExecutionRetried, has_location=True),
            200: Answer(
                meaning="This request has begun this one before.", body=ExecutionRetried, has_location=True
            ),
        },
        refusals=(OVER_QUOTA, EXECUTION_NOT_FOUND, EXECUTION_EXPIRED, EXECUTION_NOT_FAILED, BUSY),
    ),
)
