"""The `stream` function: live Server-Sent Events, over response streaming (see `flowstrand.aws.streaming_runtime`)."""

from __future__ import annotations

from typing import Any, Protocol

from flowstrand.aws.composition import services
from flowstrand.aws.observed_stream import observed_stream
from flowstrand.http.streaming import resolve
from flowstrand.streams.lasting import lasting
from flowstrand.streams.response import StreamResponse


class Context(Protocol):
    """What is used of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda ends the invocation."""
        ...


@observed_stream("stream")
def lambda_handler(event: dict[str, Any], context: Context) -> StreamResponse:
    """Serve one API Gateway proxy event; the body follows for as long as the stream, or the invocation, lasts."""
    return resolve(event, lambda: lasting(services(), context.get_remaining_time_in_millis()))
