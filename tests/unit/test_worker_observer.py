"""What a worker tells its observers, in order; and that nothing they do disturbs it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand import App, TaskContext, task
from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.outcome import Completed, Failed
from flowstrand.worker import WorkerObserver
from tests.unit.fake_server import Answer, FakeServer
from tests.unit.test_worker import STALE, UNAVAILABLE, Gate, serving, worker_of

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def no_waiting_between_retries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
def app(gate: Gate) -> App:
    @task
    async def works(_ctx: TaskContext) -> str:
        return "done"

    @task
    async def breaks(_ctx: TaskContext) -> None:
        raise ValueError("no")

    @task
    async def waits(_ctx: TaskContext) -> None:
        await gate.pass_through()

    return App(tasks=[works, breaks, waits])


class Recorder(WorkerObserver):
    """Writes down everything but empty polls."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_registered(self, worker_id: str, queues: Sequence[str]) -> None:
        self.told.append(f"registered {worker_id} for {','.join(queues)}")

    def on_poll(self, queue: str, claimed: int) -> None:
        self.told += [f"poll {queue} {claimed}"] * bool(claimed)

    def on_queue_paused(self, queue: str) -> None:
        self.told.append(f"queue {queue} paused")

    def on_task_started(self, task: ClaimedTask) -> None:
        self.told.append(f"started {task.kind}")

    def on_task_finished(self, task: ClaimedTask, outcome: Completed, duration_s: float) -> None:
        assert duration_s >= 0
        self.told.append(f"finished {task.kind} {outcome.output}")

    def on_task_failed(self, task: ClaimedTask, outcome: Failed, duration_s: float) -> None:
        assert duration_s >= 0
        self.told.append(f"failed {task.kind} {outcome.type}")

    def on_task_lost(self, task: ClaimedTask) -> None:
        self.told.append(f"lost {task.kind}")

    def on_heartbeat_lost(self, task: ClaimedTask, error: Exception) -> None:
        self.told.append(f"heartbeat lost {task.kind} {type(error).__name__}")

    def on_reconnecting(self, queue: str, error: Exception, delay_s: float) -> None:
        self.told.append(f"reconnecting {queue} {type(error).__name__} {delay_s < 60}")

    def on_paused(self, queues: Sequence[str]) -> None:
        self.told.append(f"paused {','.join(queues)}")

    def on_resumed(self, queues: Sequence[str]) -> None:
        self.told.append(f"resumed {','.join(queues)}")

    def on_draining(self) -> None:
        self.told.append("draining")

    def on_stopped(self) -> None:
        self.told.append("stopped")


async def test_a_workers_life_is_told_in_order(app: App) -> None:
    server, seen = FakeServer(), Recorder()
    done = server.add("works")
    worker = worker_of(server, app, observers=[seen])
    async with serving(worker):
        await server.report_of(done)
        failed = server.add("breaks")
        await server.report_of(failed)

    assert seen.told == [
        "registered worker-of-default for default",
        "poll default 1",
        "started works",
        "finished works done",
        "poll default 1",
        "started breaks",
        "failed breaks ValueError",
        "draining",
        "stopped",
    ]


async def test_lost_heartbeats_and_lost_attempts_are_told(app: App) -> None:
    server, seen = FakeServer(heartbeat_ms=5), Recorder()
    server.say("heartbeat", UNAVAILABLE, UNAVAILABLE, STALE)
    server.add("waits")
    worker = worker_of(server, app, observers=[seen])
    async with serving(worker):
        await server.until(lambda: server.count("heartbeat") >= 3)
    told = [one for one in seen.told if "waits" in one]
    assert told == ["started waits", "heartbeat lost waits Unavailable", "lost waits"]


@pytest.mark.parametrize(
    "fault",
    [
        httpx2.ConnectError("refused"),
        httpx2.ConnectError("Name or service not known"),
        UNAVAILABLE,
        (500, {}),
        (429, {}),
    ],
)
async def test_whatever_keeps_it_from_polling_is_told_and_overcome(app: App, fault: Any) -> None:
    server, seen = FakeServer(), Recorder()
    server.say("poll", fault, fault)
    done = server.add("works")
    async with serving(worker_of(server, app, observers=[seen])):
        await server.report_of(done)
    assert sum(one.startswith("reconnecting default") for one in seen.told) == 2


async def test_a_server_says_when_it_may_be_asked_again(app: App) -> None:
    delays: list[float] = []

    class Delays(WorkerObserver):
        def on_reconnecting(self, queue: str, error: Exception, delay_s: float) -> None:
            delays.append(delay_s)
            worker.stop()

    server = FakeServer(retry_after_s=7)
    server.say("poll", (429, {"error": "slowly", "code": "QUOTA_EXCEEDED"}))
    worker = worker_of(server, app, observers=[Delays()])
    await asyncio.wait_for(worker.run(handle_signals=False), 10)
    assert delays == [7.0]


async def test_pauses_of_the_worker_and_of_its_queue_are_told_once_each(app: App) -> None:
    server, seen = FakeServer(), Recorder()
    paused: Answer = (200, {"tasks": [], "paused": True})
    server.say("poll", paused, paused, paused)
    worker = worker_of(server, app, observers=[seen])
    async with serving(worker):
        await server.until(lambda: server.count("poll") >= 5)
        worker.pause()
        worker.pause()
        worker.resume("default")
        worker.resume()
    assert [one for one in seen.told if "paused" in one or "resumed" in one] == [
        "queue default paused",
        "paused default",
        "resumed default",
    ]


async def test_hooks_that_raise_disturb_nothing(app: App, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(WorkerObserver):
        def __getattribute__(self, name: str) -> Any:
            if name.startswith("on_"):
                raise RuntimeError(f"broken {name}")
            return super().__getattribute__(name)

    server, seen = FakeServer(), Recorder()
    tasks = [server.add("works"), server.add("breaks")]
    async with serving(worker_of(server, app, observers=[Broken(), seen])):
        for task_id in tasks:
            await server.report_of(task_id)
    assert seen.told[-1] == "stopped"
    assert "a hook of Broken failed" in caplog.text


async def test_metrics_count_what_was_done(app: App, gate: Gate) -> None:
    server = FakeServer()
    worker = worker_of(server, app)
    assert worker.metrics().uptime_s == 0
    ended = [server.add("works"), server.add("breaks")]
    async with serving(worker):
        for task_id in ended:
            await server.report_of(task_id)
        server.add("waits")
        await asyncio.wait_for(gate.someone_entered.wait(), 10)
        now = worker.metrics()
        assert (now.claimed, now.running, now.finished, now.failed, now.lost) == (3, 1, 1, 1, 0)
        assert (now.registrations, now.heartbeats_lost, now.reconnects) == (1, 0, 0)
        assert 0 < now.polls - now.empty_polls <= 3
        gate.opened.set()
    after = worker.metrics()
    assert (after.running, after.finished) == (0, 2)
    assert after.uptime_s > after.busy_s / 3 > 0
