"""What the HTTPS worker's tasks log: sent before their end is reported, and no reason for it to come late or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand import App, TaskContext, task
from tests.unit.fake_server import FakeServer
from tests.unit.test_worker import UNAVAILABLE, serving, worker_of

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def no_waiting_between_retries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100):
        yield


@pytest.fixture
def app() -> App:
    @task
    async def speaks(ctx: TaskContext, then: str) -> str:
        ctx.logger.debug("quiet")
        ctx.logger.info("charging %d", 7, extra={"orderId": "o-1"})
        if then == "raise":
            ctx.logger.error("no luck")
            raise ValueError("no")
        return then

    @task
    def speaks_in_thread(ctx: TaskContext, count: int) -> None:
        for number in range(count):
            ctx.logger.info("%d", number)

    return App(tasks=[speaks, speaks_in_thread])


def messages(server: FakeServer, task_id: str) -> list[Any]:
    batches: Any = server.logged[task_id]
    return [record["message"] for number in sorted(batches) for record in batches[number]]


@pytest.mark.parametrize(("then", "expected"), [("return", ["charging 7"]), ("raise", ["charging 7", "no luck"])])
async def test_what_a_task_has_said_is_kept_when_its_end_is_reported(
    app: App, then: str, expected: list[str]
) -> None:
    server = FakeServer()
    task_id = server.add("speaks", then)
    async with serving(worker_of(server, app)):
        await server.report_of(task_id)
        assert messages(server, task_id) == expected
    first: Any = server.logged[task_id][1][0]
    assert (first["level"], first["fields"]) == ("INFO", {"orderId": "o-1"})


async def test_a_thread_is_heard_in_order(app: App) -> None:
    server = FakeServer()
    task_id = server.add("speaks_in_thread", 1_500)
    async with serving(worker_of(server, app)):
        await server.report_of(task_id)
    assert messages(server, task_id) == [str(number) for number in range(1_500)]


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING, None])
async def test_a_worker_says_from_which_level_on_it_keeps_what(app: App, level: int | None) -> None:
    server = FakeServer()
    task_id = server.add("speaks", "return")
    async with serving(worker_of(server, app, log_level=level)):
        await server.report_of(task_id)
    assert messages(server, task_id) == (["quiet", "charging 7"] if level == logging.DEBUG else [])


async def test_logs_are_sent_again_until_they_are_answered(app: App) -> None:
    server = FakeServer()
    server.say("logs", httpx2.ReadError("lost"), UNAVAILABLE)
    task_id = server.add("speaks", "return")
    async with serving(worker_of(server, app)):
        await server.report_of(task_id)
    assert messages(server, task_id) == ["charging 7"]
    assert {body["batch"] for path, body in server.requests if path.endswith("/logs")} == {1}


async def test_a_server_that_knows_no_logs_gets_its_reports_all_the_same(app: App) -> None:
    server = FakeServer()
    server.say("logs", (404, {"error": "no such route", "code": "NOT_FOUND"}))
    task_id = server.add("speaks", "return")
    async with serving(worker_of(server, app)):
        assert (await server.report_of(task_id))[0] == "complete"
    assert server.count("logs") == 1
