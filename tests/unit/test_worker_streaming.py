"""What the HTTPS worker's tasks tell while they run: in order, before their end, once, whatever the network does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest
import stamina
from pydantic import BaseModel

from flowstrand import App, TaskContext, task
from flowstrand.errors import StreamLimitReached
from tests.unit.fake_server import Answer, FakeServer
from tests.unit.test_worker import DENIED, STALE, UNAVAILABLE, Gate, serving, worker_of

pytestmark = pytest.mark.anyio


class Order(BaseModel):
    amount: int


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture(autouse=True)
def no_waiting_between_retries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100):
        yield


@pytest.fixture
def app(gate: Gate) -> App:
    @task
    async def streams(ctx: TaskContext, then: str) -> str:
        ctx.stream_token("a")
        await ctx.stream_token("b\n")
        ctx.report_progress(0.5, {"step": 2})
        ctx.stream_data(Order(amount=5))
        ctx.stream_error("oh")
        if then == "wait":
            await gate.pass_through()
        if then == "raise":
            raise ValueError("no")
        return then

    @task
    def streams_in_thread(ctx: TaskContext, count: int) -> None:
        for number in range(count):
            ctx.stream_token(f"{number} ")

    @task
    async def resumes(ctx: TaskContext) -> Any:
        await ctx.heartbeat()
        await ctx.heartbeat({"row": 7})
        await ctx.heartbeat()
        return ctx.heartbeat_details

    @task
    async def goes_on(ctx: TaskContext, then: str) -> str:
        await ctx.stream_token("a")
        with suppress(StreamLimitReached):
            while True:
                await ctx.stream_token("more")
                await asyncio.sleep(0)
        if then == "raise":
            raise KeyError("something else")
        return "as if nothing had happened"

    @task
    async def says_it_last(ctx: TaskContext) -> str:
        ctx.stream_token("a")
        return "done"

    return App(tasks=[streams, streams_in_thread, resumes, goes_on, says_it_last])


EMITTED: list[Any] = [
    {"type": "token", "payload": "a"},
    {"type": "token", "payload": "b\n"},
    {"type": "progress", "payload": 0.5, "details": {"step": 2}},
    {"type": "data", "payload": {"amount": 5}},
    {"type": "error", "payload": {"message": "oh"}},
]


@pytest.mark.parametrize(("then", "action"), [("return", "complete"), ("raise", "fail")])
async def test_what_a_task_emits_is_recorded_in_order_before_its_end(app: App, then: str, action: str) -> None:
    server = FakeServer()
    task_id = server.add("streams", then)
    async with serving(worker_of(server, app)):
        await server.report_of(task_id)
    assert server.streamed == [*EMITTED, action]


async def test_what_a_task_emits_is_sent_while_it_runs(app: App, gate: Gate) -> None:
    server = FakeServer()
    task_id = server.add("streams", "wait")
    async with serving(worker_of(server, app)):
        await server.until(lambda: server.streamed == EMITTED)
        gate.opened.set()
        await server.report_of(task_id)


async def test_a_thread_emits_in_order_too(app: App) -> None:
    server = FakeServer()
    task_id = server.add("streams_in_thread", 2_500)
    async with serving(worker_of(server, app)):
        await server.report_of(task_id)
    *chunks, last = server.streamed
    assert last == "complete"
    assert [chunk["payload"] for chunk in chunks if isinstance(chunk, dict)] == [f"{n} " for n in range(2_500)]


async def test_chunks_are_sent_again_under_the_same_request_id_until_they_are_answered(app: App) -> None:
    server = FakeServer()
    server.say("stream", httpx2.ReadError("lost"), UNAVAILABLE, DENIED)
    task_id = server.add("streams", "return")
    async with serving(worker_of(server, app)):
        await server.report_of(task_id)
    assert server.streamed == [*EMITTED, "complete"]
    sent = [body["requestId"] for path, body in server.requests if path.endswith("/stream")]
    assert (len(sent), len(set(sent))) == (4, 1)


async def test_a_stale_lease_found_out_by_streaming_cancels_the_attempt(app: App, gate: Gate) -> None:
    server = FakeServer()
    server.say("stream", STALE)
    server.add("streams", "wait")
    async with serving(worker_of(server, app)):
        await asyncio.wait_for(gate.someone_entered.wait(), 10)
        await server.until(lambda: server.count("stream") == 1)
    assert gate.cancelled == 1
    assert server.reports == {}


async def test_a_stale_lease_ends_a_thread_at_its_next_chunk(app: App) -> None:
    server = FakeServer()
    server.say("stream", STALE)
    server.add("streams_in_thread", 1_000_000)
    async with serving(worker_of(server, app)):
        await server.until(lambda: server.count("stream") == 1)
    assert server.reports == {}


async def test_chunks_that_the_server_will_not_take_fail_the_task(app: App) -> None:
    server = FakeServer()
    server.say("stream", (413, {"error": "too large", "code": "PAYLOAD_TOO_LARGE"}))
    task_id = server.add("streams", "return")
    async with serving(worker_of(server, app)):
        action, body = await server.report_of(task_id)
    assert (action, body["retryable"]) == ("fail", False)
    assert body["error"]["type"] == "PAYLOAD_TOO_LARGE"  # type: ignore[index, call-overload]  # JSON


async def test_a_reported_progress_is_streamed_and_goes_along_with_later_heartbeats() -> None:
    @task
    async def gets_on(ctx: TaskContext) -> None:
        await ctx.heartbeat()
        ctx.report_progress(0.25)
        await ctx.heartbeat()
        await ctx.heartbeat(progress=0.5)
        await ctx.stream_progress(0.75)
        await ctx.heartbeat()
        with pytest.raises(ValueError, match="from 0 to 1"):
            ctx.heartbeat(progress=2)

    server = FakeServer()
    task_id = server.add("gets_on")
    async with serving(worker_of(server, App(tasks=[gets_on]))):
        assert (await server.report_of(task_id))[0] == "complete"
    beats = [body.get("progress") for path, body in server.requests if path.endswith(f"/{task_id}/heartbeat")]
    assert beats == [None, 0.25, 0.5, 0.5]
    assert [chunk["payload"] for chunk in server.streamed if isinstance(chunk, dict)] == [0.25, 0.75]


async def test_details_of_a_heartbeat_are_said_again_and_reach_the_next_attempt(app: App) -> None:
    server = FakeServer()
    task_id = server.add("resumes", attempt=2, heartbeat_details={"row": 3})
    async with serving(worker_of(server, app)):
        _, report = await server.report_of(task_id)
    assert report["output"] == {"row": 3}
    beats = [
        body.get("details")
        for path, body in server.requests
        if path.startswith("/api/orgs/acme/task") and path.endswith("/heartbeat")
    ]
    assert beats == [{"row": 3}, {"row": 7}, {"row": 7}]


FULL: Answer = (413, {"error": "an attempt may stream 1 values", "code": "STREAM_LIMIT_REACHED"})


@pytest.mark.parametrize(
    ("kind", "input", "error"),
    [
        ("streams_in_thread", 1_000_000, "StreamLimitReached"),
        ("goes_on", "return", "StreamLimitReached"),
        ("goes_on", "raise", "KeyError"),
        ("says_it_last", None, "StreamLimitReached"),
    ],
    ids=["lets it through", "hides it", "raises something else", "has ended by then"],
)
async def test_an_attempt_that_streams_more_than_it_may_fails_and_knows_why(
    app: App, kind: str, input: Any, error: str
) -> None:
    server = FakeServer()
    server.say("stream", FULL)
    task_id = server.add(kind, input)
    async with serving(worker_of(server, app)):
        action, report = await server.report_of(task_id)
    said: Any = report["error"]
    assert (action, said["type"], report["retryable"]) == ("fail", error, False)
    assert error == "KeyError" or said["message"] == "an attempt may stream 1 values"
    assert server.count("stream") == 1
