"""What may be said when an execution is started, beside its workflow and input."""

from __future__ import annotations

from typing import TypedDict

from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.duration import Duration


class TraceOptions(TypedDict, total=False):
    """The trace that what is started belongs to (W3C Trace Context).

    By default the one that OpenTelemetry knows to be current, where the extra `otel` is installed, else none.

    Attributes:
        traceparent: as a header of that name says it; what is not valid is ignored.
        tracestate: what goes with it.
    """

    traceparent: str | None
    tracestate: str | None


class ExecutionOptions(TraceOptions, total=False):
    """What a new execution may be given, however it begins.

    Attributes:
        queue: where its tasks wait unless they name a queue themselves; `default` by default.
        version: the author's own mark on the execution.
        metadata: shown with the execution; at most 8 KB of JSON.
        execution_timeout: seconds or a timedelta from its start to its end; an execution that is open by then fails.
    """

    queue: str
    version: str | None
    metadata: JsonObject | None
    execution_timeout: Duration | None


class StartOptions(ExecutionOptions, total=False):
    """Options of `start`, for the overloads of both clients.

    Attributes:
        idempotency_key: a name for what is started, at most 200 characters: while it stands for an execution, that is
            returned and nothing is started. A start that has one is repeated on network errors.
        idempotency_key_ttl: how long the key stands for an execution that has completed, in whole seconds or a timedelta,
            from a second to thirty days; a day by default.
    """

    idempotency_key: str | None
    idempotency_key_ttl: Duration | None


class WaitOptions(StartOptions, total=False):
    """Options of `start_and_wait`.

    Attributes:
        timeout: seconds to wait for the end; for ever by default.
    """

    timeout: float | None
