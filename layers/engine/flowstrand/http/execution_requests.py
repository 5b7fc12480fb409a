"""Request bodies of the routes of executions."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from flowstrand.engine.names import LABEL_PATTERN
from flowstrand.engine.trace_context import TraceContext
from flowstrand.http.body import RequestBody
from flowstrand.http.idempotency_key import IdempotencyKey, IdempotencyKeyTtl
from flowstrand.http.request_fields import Kind, Metadata, Name, RequestId, TimeoutSeconds, Version
from flowstrand.service.executions import StartRequest
from flowstrand.service.signal_with_start import Signal

MAX_LABEL = 128
"""Characters of a signal's name."""

_MAX_REASON = 1_024

SignalName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LABEL, pattern=LABEL_PATTERN)]


class StartExecution(RequestBody):
    """`POST /workflow-executions`."""

    kind: Kind
    input: Any = None
    queue: Name = "default"
    version: Version | None = None
    metadata: Metadata | None = None
    timeout_seconds: TimeoutSeconds | None = None
    idempotency_key: IdempotencyKey | None = None
    idempotency_key_ttl: IdempotencyKeyTtl = Field(default="24h", alias="idempotencyKeyTTL")

    def to_request(self, trace: TraceContext | None = None) -> StartRequest:
        """For the use case."""
        return _start_request(self, trace)


class SignalWithStart(RequestBody):
    """`POST /workflow-executions/signal-with-start`. `workflow_id` is an idempotency key."""

    workflow_id: IdempotencyKey
    kind: Kind
    signal_name: SignalName
    signal_value: Any = None
    request_id: RequestId | None = None
    input: Any = None
    queue: Name = "default"
    version: Version | None = None
    metadata: Metadata | None = None
    timeout_seconds: TimeoutSeconds | None = None

    def to_request(self, trace: TraceContext | None = None) -> StartRequest:
        """The execution to start, for the use case."""
        return _start_request(self, trace)

    def to_signal(self) -> Signal:
        """The signal to send, for the use case."""
        return Signal(name=self.signal_name, value=self.signal_value, request_id=self.request_id)


def _start_request(body: StartExecution | SignalWithStart, trace: TraceContext | None) -> StartRequest:
    return StartRequest(
        kind=body.kind,
        input=body.input,
        queue=body.queue,
        version=body.version,
        metadata=body.metadata,
        timeout_ms=None if body.timeout_seconds is None else math.ceil(body.timeout_seconds * 1_000),
        trace=trace,
    )


class SignalExecution(RequestBody):
    """`POST /workflow-executions/{id}/signal`."""

    signal_name: SignalName
    signal_value: Any = None
    request_id: RequestId | None = None


class CancelExecution(RequestBody):
    """`POST /workflow-executions/{id}/cancel`."""

    reason: Annotated[str, StringConstraints(max_length=_MAX_REASON)] | None = None
    cascade_to_children: bool = True
    force: bool = False
    request_id: RequestId | None = None


class RetryExecution(RequestBody):
    """`POST /workflow-executions/{id}/retry`."""

    reason: Annotated[str, StringConstraints(max_length=_MAX_REASON)] | None = None
    request_id: RequestId | None = None
