"""The trace context of a request: headers that say whose trace what it starts belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from flowstrand.engine import trace_context
from flowstrand.engine.trace_context import TraceContext
from flowstrand.http.query import Query
from flowstrand.observability import correlation

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.request import Request


class TraceHeaders(Query):
    """What such a request may have; what is not valid is ignored, as W3C Trace Context says."""

    traceparent: str = Field(
        default="",
        description="Whose trace what is started belongs to: W3C Trace Context. What is not valid is ignored.",
    )
    tracestate: str = Field(default="", description="What goes with `traceparent`, for tracing systems.")


def trace_of(request: Request) -> TraceContext | None:
    """The trace that the request belongs to, which its logs then name as well; None where it names none."""
    event = request.resolved_event.raw_event
    found = trace_context.parse(_values(event, "traceparent"), _values(event, "tracestate"))
    correlation.note(traceId=None if found is None else found.trace_id)
    return found


def _values(event: Mapping[str, Any], wanted: str) -> list[str]:
    """Every value of a header."""
    many: Mapping[str, list[str]] = event.get("multiValueHeaders") or {}
    single: Mapping[str, str] = event.get("headers") or {}
    headers = many or {name: [value] for name, value in single.items()}
    return [value for name, values in headers.items() if name.lower() == wanted for value in values]
