"""Spans of the client and of attempts, as an OpenTelemetry SDK records them; and nothing at all without one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from flowstrand.attempts.attempt import Attempt
from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.server import AttemptServer
from flowstrand.client import Client, SyncClient
from flowstrand.engine.chunk import Chunk
from flowstrand.engine.task_log import LogRecord
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.app import Task
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.sdk.task import task
from flowstrand.sdk.task_context import TaskContext
from flowstrand.tracing import otel

pytestmark = pytest.mark.anyio

TRACE = "0af7651916cd43dd8448eb211c80319c"
GIVEN = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """An SDK that keeps every span, for the length of the test."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


@pytest.fixture
def requests() -> list[httpx2.Request]:
    """What was sent to the server."""
    return []


def answering(requests: list[httpx2.Request]) -> httpx2.MockTransport:
    """A server that starts whatever it is asked for."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(201, json={"workflowExecutionId": "X", "taskExecutionId": "X.t0"})

    return httpx2.MockTransport(answer)


def context_of(request: httpx2.Request) -> tuple[str, str]:
    """The trace id and the span id that a request names."""
    _, trace_id, span_id, _ = request.headers["traceparent"].split("-")
    return trace_id, span_id


def ids_of(span: ReadableSpan) -> tuple[str, str]:
    """A span's own."""
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


async def test_a_start_carries_the_span_that_it_is(
    spans: InMemorySpanExporter, requests: list[httpx2.Request]
) -> None:
    async with Client("http://test", "key", "acme", transport=answering(requests)) as client:
        await client.start("order", {"secret": 1})
        await client.signal_with_start("order", "key", "go")

    first, second = spans.get_finished_spans()
    assert (first.name, first.kind) == ("start workflow order", SpanKind.PRODUCER)
    assert [context_of(request) for request in requests] == [ids_of(first), ids_of(second)]
    assert "secret" not in first.to_json()


def test_a_given_trace_goes_before_the_current_one(
    spans: InMemorySpanExporter, requests: list[httpx2.Request]
) -> None:
    with SyncClient("http://test", "key", "acme", transport=answering(requests)) as client:
        client.start("order", traceparent=GIVEN, tracestate="congo=1")

    [span] = spans.get_finished_spans()
    assert context_of(requests[0]) == ids_of(span)
    assert (ids_of(span)[0], requests[0].headers["tracestate"]) == (TRACE, "congo=1")
    assert span.parent is not None


def test_without_the_extra_a_given_trace_goes_as_it_is(
    requests: list[httpx2.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otel, "_otel", lambda: None)
    with SyncClient("http://test", "key", "acme", transport=answering(requests)) as client:
        client.start("order", traceparent=GIVEN)
        client.start("order")

    assert requests[0].headers["traceparent"] == GIVEN
    assert "traceparent" not in requests[1].headers


def test_without_an_sdk_nothing_is_invented(requests: list[httpx2.Request]) -> None:
    with SyncClient("http://test", "key", "acme", transport=answering(requests)) as client:
        client.start("order", traceparent=GIVEN)
        client.start("order")

    assert requests[0].headers["traceparent"] == GIVEN
    assert "traceparent" not in requests[1].headers


def claimed(**more: Any) -> ClaimedTask:
    """An attempt."""
    body = {"taskExecutionId": "X.t1", "workflowExecutionId": "X", "kind": "charge", "attempt": 2, "maxRetries": 3}
    return ClaimedTask.model_validate(
        {**body, "input": {"secret": "s"}, "leaseToken": "l", "heartbeatMs": 10_000, **more}
    )


class Reports(AttemptServer):
    """Takes whatever is reported."""

    def __init__(self) -> None:
        self.reported: list[str] = []

    async def complete(self, task: ClaimedTask, output: JsonValue) -> None:
        self.reported.append("completed")

    async def fail(
        self, task: ClaimedTask, *, type: str, message: str, stack: str | None, retryable: bool
    ) -> None:
        self.reported.append(type)

    async def heartbeat(self, task: ClaimedTask, details: JsonValue = None, progress: float | None = None) -> bool:
        return False

    async def stream(self, task: ClaimedTask, chunks: Sequence[Chunk], *, request_id: str) -> None:
        raise AssertionError("nothing is streamed")

    async def log(self, task: ClaimedTask, batch: int, records: Sequence[LogRecord]) -> int:
        return 1

    async def input_of(self, task: ClaimedTask) -> JsonValue:
        raise AssertionError("the input is there")

    async def keep(self, task: ClaimedTask, body: bytes) -> JsonValue:
        raise AssertionError("the output is small")


seen: list[tuple[str, str]] = []
"""The current span's ids, as tasks have found them."""


def look() -> None:
    """Keep the ids of the current span."""
    context = trace.get_current_span().get_span_context()
    seen.append((f"{context.trace_id:032x}", f"{context.span_id:016x}"))


@task(name="charge")
async def charge(ctx: TaskContext, order: dict[str, str]) -> str | None:
    look()
    return ctx.traceparent


@task(name="charge")
def charge_in_a_thread(ctx: TaskContext, order: dict[str, str]) -> None:
    look()


@task(name="charge")
async def failing(ctx: TaskContext, order: dict[str, str]) -> None:
    raise KeyError(order["secret"])


async def attempted(task: Task, **more: Any) -> list[str]:
    """What was reported of an attempt of it."""
    seen.clear()
    server = Reports()
    with ThreadPoolExecutor(1) as executor:
        attempt = Attempt(server, claimed(**more), task, executor, PayloadCodecs.of(None))
        await attempt.run(asyncio.Semaphore(1))
    return server.reported


@pytest.mark.parametrize("code", [charge, charge_in_a_thread])
async def test_an_attempt_is_a_span_below_the_one_that_the_log_has_for_it(
    spans: InMemorySpanExporter, code: Task
) -> None:
    assert await attempted(code, traceparent=GIVEN, tracestate="congo=1") == ["completed"]

    [span] = spans.get_finished_spans()
    assert (span.name, span.kind, span.status.status_code) == ("task charge", SpanKind.CONSUMER, StatusCode.UNSET)
    assert span.parent is not None
    assert (ids_of(span)[0], f"{span.parent.span_id:016x}") == (TRACE, "b7ad6b7169203331")
    assert dict(span.attributes or {}) == {
        "flowstrand.execution.id": "X",
        "flowstrand.task.id": "X.t1",
        "flowstrand.task.kind": "charge",
        "flowstrand.task.attempt": 2,
    }
    assert seen == [ids_of(span)]


async def test_an_attempt_without_a_trace_begins_one(spans: InMemorySpanExporter) -> None:
    await attempted(charge)

    [span] = spans.get_finished_spans()
    assert span.parent is None


async def test_a_failure_is_a_status_and_says_nothing_of_what_it_was_over(spans: InMemorySpanExporter) -> None:
    assert await attempted(failing, input={"secret": "canary"}) == ["KeyError"]

    [span] = spans.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "KeyError")
    assert span.attributes is not None
    assert span.attributes["error.type"] == "KeyError"
    assert "canary" not in span.to_json()


async def test_without_an_sdk_the_context_is_the_callers() -> None:
    await attempted(charge, traceparent=GIVEN)

    assert seen == [(TRACE, "b7ad6b7169203331")]
