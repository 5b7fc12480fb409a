"""Payloads that are too large for a request."""

from __future__ import annotations

from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import INVALID_LEASE, PAYLOAD_NOT_FOUND, TASK_NOT_FOUND
from flowstrand.http.payload_requests import PayloadFound, UploadBegun, UploadOutput, UploadPayload
from flowstrand.service.keys import Principal

TAG = "payloads"

OPERATIONS = (
    Operation(
        method="POST",
        path="/payloads",
        name="uploadPayload",
        tag=TAG,
        summary="Ask where to send a large value",
        description=(
            "The value's JSON is then sent to `uploadUrl`, with `method` and `headers` and no credential; whatever has another "
            "length or digest is refused there. After that, `payload` may be given wherever a value is taken."
        ),
        principal=Principal.USER,
        body=UploadPayload,
        answers={201: Answer(meaning="It may be sent.", body=UploadBegun)},
    ),
    Operation(
        method="GET",
        path="/payloads/{payloadId}",
        name="getPayload",
        tag=TAG,
        summary="Ask where to get a large value from",
        description="Readers are shown `payload` in the place of values that are too large for an answer.",
        principal=Principal.USER,
        answers={200: Answer(meaning="It can be had there, without a credential.", body=PayloadFound)},
        refusals=(PAYLOAD_NOT_FOUND,),
    ),
    Operation(
        method="POST",
        path="/task-executions/{taskId}/payloads",
        name="uploadOutput",
        tag=TAG,
        summary="Ask where to send a large output",
        description="As `POST /payloads`, for whoever holds a lease; `payload` is then reported as the output.",
        principal=Principal.WORKER,
        body=UploadOutput,
        answers={201: Answer(meaning="It may be sent.", body=UploadBegun)},
        refusals=(TASK_NOT_FOUND, INVALID_LEASE),
    ),
)
