"""Settling promises."""

from __future__ import annotations

from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import (
    BUSY,
    EXECUTION_CLOSED,
    EXECUTION_EXPIRED,
    OF_VALUES,
    PROMISE_NOT_FOUND,
)
from flowstrand.http.promise_requests import RejectPromise, ResolvePromise
from flowstrand.http.promise_responses import PromiseSettled
from flowstrand.service.keys import Principal

TAG = "promises"

OPERATIONS = (
    Operation(
        method="POST",
        path="/promises/{promiseId}/resolve",
        name="resolvePromise",
        tag=TAG,
        summary="Give a promise its value",
        description="The first settles it. Whoever comes later is told so, and what the first one's event is.",
        principal=Principal.USER,
        body=ResolvePromise,
        answers={200: Answer(meaning="It is settled.", body=PromiseSettled)},
        refusals=(*OF_VALUES, PROMISE_NOT_FOUND, EXECUTION_EXPIRED, EXECUTION_CLOSED, BUSY),
    ),
    Operation(
        method="POST",
        path="/promises/{promiseId}/reject",
        name="rejectPromise",
        tag=TAG,
        summary="Give a promise an error in place of its value",
        principal=Principal.USER,
        body=RejectPromise,
        answers={200: Answer(meaning="It is settled.", body=PromiseSettled)},
        refusals=(PROMISE_NOT_FOUND, EXECUTION_EXPIRED, EXECUTION_CLOSED, BUSY),
    ),
)
