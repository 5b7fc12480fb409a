"""`observed_stream`: as `telemetry.observed`, for handlers whose answer goes on after they have returned."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import wraps
from time import monotonic
from typing import Any, TypeAlias

from flowstrand.aws import telemetry
from flowstrand.observability import correlation, meter, metrics
from flowstrand.observability.correlation import Ids
from flowstrand.streams.response import StreamResponse

Handler: TypeAlias = Callable[[dict[str, Any], Any], StreamResponse]


def observed_stream(function: str) -> Callable[[Handler], Handler]:
    """Run a streaming handler so that its logs and metrics say whose they are, while its body is sent as well.

    A body that lasts is one reader of a stream, counted at its end with the seconds that it took; a refusal is none.
    """

    def observe(handler: Handler) -> Handler:
        @wraps(handler)
        def run(event: dict[str, Any], context: Any) -> StreamResponse:
            with telemetry.invocation(function, event, context):
                response = telemetry.reporting(handler)(event, context)
                if response.body is None or response.status >= 300:
                    return response
                return replace(response, body=_observed(response.body, correlation.current()))

        return run

    return observe


async def _observed(body: AsyncIterator[bytes], ids: Ids) -> AsyncIterator[bytes]:
    """The chunks, as they come.

    Whoever iterates owns the context: it is told whose the chunks are once, as the first is asked for, and the next body
    tells it anew.
    """
    correlation.become(ids)
    began_s = monotonic()
    try:
        async for chunk in body:
            yield chunk
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
        with meter.measuring() as measured:
            meter.count(metrics.STREAM_READERS)
            meter.record(metrics.STREAM_SECONDS, monotonic() - began_s)
        telemetry.report(measured, ids)
