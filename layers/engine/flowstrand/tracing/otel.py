"""Spans of the client and the worker, by OpenTelemetry's API; none at all where that is not installed (the extra `otel`).

Which SDK records them, and what it sends where, is the process's own affair. A span says which execution, task and attempt it is of, and
of an exception its class: messages may hold what tasks work on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.trace import Span

Attributes: TypeAlias = Mapping[str, str | int]

_SCOPE = "flowstrand"
_CARRIED = ("traceparent", "tracestate")


@contextmanager
def producing(name: str, given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The span of a request that starts something; yields the headers that have what it starts belong to this trace.

    Args:
        given: the request's own headers. Where they name a trace already, that is the one, and the span belongs to it.
    """
    otel = _otel()
    if otel is None:
        yield {}
        return
    trace, propagate = otel
    parent = propagate.extract(dict(given)) if "traceparent" in given else None
    with _started(trace, name, trace.SpanKind.PRODUCER, parent, {}):
        headers: dict[str, str] = {}
        propagate.inject(headers)  # which may have baggage among it, and that is for nobody here
        yield {name: headers[name] for name in _CARRIED if name in headers}


class Attempted:
    """The span of an attempt, as far as there is one."""

    def __init__(self, span: Span | None = None) -> None:
        self._span = span

    def failed(self, error_type: str) -> None:
        """The attempt has failed with an exception of this class."""
        otel = _otel()
        if self._span is not None and otel is not None:
            trace, _ = otel
            self._span.set_attribute("error.type", error_type)
            self._span.set_status(trace.StatusCode.ERROR, error_type)


@contextmanager
def attempting(
    name: str, attributes: Attributes, *, traceparent: str | None, tracestate: str | None
) -> Iterator[Attempted]:
    """The span of an attempt: of the trace of whoever started the execution, else the first of its own."""
    otel = _otel()
    if otel is None:
        yield Attempted()
        return
    trace, propagate = otel
    given = {"traceparent": traceparent or "", "tracestate": tracestate or ""}
    parent = propagate.extract({key: value for key, value in given.items() if value}) if traceparent else None
    with _started(trace, name, trace.SpanKind.CONSUMER, parent, attributes) as span:
        yield Attempted(span)


@contextmanager
def _started(trace: ModuleType, name: str, kind: object, parent: object, attributes: Attributes) -> Iterator[Span]:
    """A current span that tells of an exception what it is, and not what it says."""
    tracer = trace.get_tracer(_SCOPE)
    with tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


@cache
def _otel() -> tuple[ModuleType, ModuleType] | None:
    """The API's modules of traces and of propagation."""
    try:
        from opentelemetry import propagate, trace
    except ImportError:
        return None
    return trace, propagate
