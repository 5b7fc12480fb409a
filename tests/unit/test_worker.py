"""The HTTPS worker against a server in memory: what it claims it reports, once, whatever the network does."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import stamina
from pydantic import BaseModel

from flowstrand import App, Compression, NonRetryableError, PayloadCodecs, TaskContext, task
from flowstrand.errors import ConfigurationError, Unauthenticated
from flowstrand.worker import Worker
from flowstrand.worker.backoff import Backoff
from tests.unit.fake_server import Answer, FakeServer

pytestmark = pytest.mark.anyio

UNAVAILABLE: Answer = (503, {"error": "the store is unavailable", "code": "UNAVAILABLE"})
STALE: Answer = (409, {"error": "another attempt holds the lease", "code": "STALE_ATTEMPT"})
DENIED: Answer = (401, {"error": "who are you?", "code": "UNAUTHENTICATED"})


class Order(BaseModel):
    amount: int


class Gate:
    """What tasks wait for, and who is waiting."""

    def __init__(self) -> None:
        self.entered = 0
        self.most = 0
        self.cancelled = 0
        self.opened = asyncio.Event()
        self.someone_entered = asyncio.Event()
        self.three_entered = asyncio.Event()
        self._awaited: dict[int, asyncio.Event] = {}

    async def reached(self, count: int) -> None:
        """Return when so many tasks wait here."""
        event = self._awaited.setdefault(count, asyncio.Event())
        if self.entered < count:
            await asyncio.wait_for(event.wait(), 10)

    async def pass_through(self) -> None:
        self.entered += 1
        self.most = max(self.most, self.entered)
        self.someone_entered.set()
        if self.entered == 3:
            self.three_entered.set()
        if self.entered in self._awaited:
            self._awaited[self.entered].set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.entered -= 1


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture(autouse=True)
def no_waiting_between_retries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100):
        yield


@pytest.fixture
def app(gate: Gate) -> App:
    barrier = threading.Barrier(2)

    @task
    async def charge(_ctx: TaskContext, order: Order) -> dict[str, int]:
        return {"paid": order.amount}

    @task
    async def waits(ctx: TaskContext) -> str:
        await gate.pass_through()
        return f"attempt {ctx.attempt} of {ctx.max_attempts}, cancelled: {ctx.is_cancelled}"

    @task
    def meets(_ctx: TaskContext) -> bool:
        barrier.wait(timeout=10)
        return threading.current_thread() is threading.main_thread()

    @task
    async def raises(_ctx: TaskContext, how: str) -> None:
        match how:
            case "value":
                raise ValueError("a bad value")
            case "for good":
                raise NonRetryableError("no use")
            case "exit":
                raise SystemExit(3)
            case _:
                raise asyncio.CancelledError

    @task
    async def returns_an_object(_ctx: TaskContext) -> Any:
        return object()

    @task
    async def beats(ctx: TaskContext) -> bool:
        return await ctx.heartbeat()

    @task
    def beats_in_thread(ctx: TaskContext) -> bool:
        ctx.heartbeat()
        return asyncio.run(_answer_of(ctx))

    return App(tasks=[charge, waits, meets, raises, returns_an_object, beats, beats_in_thread])


async def _answer_of(ctx: TaskContext) -> bool:
    return await ctx.heartbeat()


def worker_of(server: FakeServer, app: App, **options: Any) -> Worker:
    defaults: dict[str, Any] = {"poll_wait_s": 0.05, "backoff_s": 0.001, "grace_s": 10.0, "name": "w"}
    return Worker("http://server", "key", "acme", app, transport=server.transport, **{**defaults, **options})


@asynccontextmanager
async def serving(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    """The worker runs meanwhile, and drains afterwards."""
    running = asyncio.create_task(worker.run(handle_signals=False))
    try:
        yield running
    finally:
        worker.stop()
        await asyncio.wait_for(running, 10)


# --- running tasks ------------------------------------------------------------------------------


async def test_it_registers_polls_runs_and_reports(app: App) -> None:
    server = FakeServer()
    task_id = server.add("charge", {"amount": 5})
    async with serving(worker_of(server, app)):
        assert await server.report_of(task_id) == (
            "complete",
            {"leaseToken": f"lease-{task_id}", "output": {"paid": 5}},
        )
    (registered_at, registration), (polled_at, poll) = server.requests[:2]
    kinds = app.task_kinds()
    assert registered_at == "/api/orgs/acme/workers"
    definitions: Any = registration.pop("taskDefinitions")
    assert registration == {"name": "w", "queues": ["default"], "taskKinds": kinds}
    assert [definition["kind"] for definition in definitions] == kinds
    charge = next(definition for definition in definitions if definition["kind"] == "charge")
    assert charge["inputSchema"]["required"] == ["amount"]
    assert polled_at == "/api/orgs/acme/queues/default/poll"
    assert poll == {"workerId": "worker-of-default", "kinds": kinds, "max": 10, "wait": 0.05}


async def test_inputs_come_encoded_and_outputs_leave_so() -> None:
    @task(name="double")
    async def double(_ctx: TaskContext, value: int) -> int:
        return 2 * value

    app, server = App(tasks=[double], codec=Compression()), FakeServer()
    task_id = server.add("double", app.payloads.to_wire(21))
    async with serving(worker_of(server, app)):
        _, report = await server.report_of(task_id)
    assert report["output"] == app.payloads.to_wire(42)


async def test_an_input_that_cannot_be_decoded_is_tried_again_elsewhere(app: App) -> None:
    server = FakeServer()
    task_id = server.add("charge", PayloadCodecs(Compression()).to_wire({"amount": 5}))
    async with serving(worker_of(server, app)):
        action, report = await server.report_of(task_id)
    error: Any = report["error"]
    assert (action, error["type"], report["retryable"]) == ("fail", "CodecFailed", True)


async def test_no_more_tasks_run_at_once_than_allowed_even_from_several_queues(app: App, gate: Gate) -> None:
    server = FakeServer()
    tasks = [server.add("waits", queue=queue) for queue in ("a", "b") for _ in range(4)]
    async with serving(worker_of(server, app, concurrency=3, queues=("a", "b"))):
        await asyncio.wait_for(gate.three_entered.wait(), 10)
        gate.opened.set()
        for task_id in tasks:
            await server.report_of(task_id)
    assert gate.most == 3


async def test_tasks_that_are_not_async_run_in_threads_side_by_side(app: App) -> None:
    server = FakeServer()
    tasks = [server.add("meets"), server.add("meets")]
    async with serving(worker_of(server, app)):
        for task_id in tasks:
            assert (await server.report_of(task_id))[1]["output"] is False


async def test_a_task_knows_its_attempt(app: App, gate: Gate) -> None:
    server = FakeServer()
    gate.opened.set()
    task_id = server.add("waits", attempt=3)
    async with serving(worker_of(server, app)):
        assert (await server.report_of(task_id))[1]["output"] == "attempt 3 of 4, cancelled: False"


# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "input", "error_type", "retryable"),
    [
        ("raises", "value", "ValueError", True),
        ("raises", "for good", "NonRetryableError", False),
        ("raises", "exit", "SystemExit", True),
        ("raises", "cancelled", "CancelledError", True),
        ("charge", {"amount": "many"}, "NotSerializable", False),
        ("returns_an_object", None, "NotSerializable", False),
        ("unknown", None, "UnknownTaskKind", True),
    ],
)
async def test_a_failure_is_reported_with_what_is_known_of_it(
    app: App, kind: str, input: Any, error_type: str, retryable: bool
) -> None:
    server = FakeServer()
    task_id = server.add(kind, input)
    async with serving(worker_of(server, app)):
        action, body = await server.report_of(task_id)
    error = body["error"]
    assert isinstance(error, dict)
    assert (action, error["type"], body["retryable"]) == ("fail", error_type, retryable)


@pytest.mark.parametrize(
    ("names", "retryable"),
    [
        (("LookupError",), False),
        (("KeyError",), False),
        (("Exception",), False),
        (("IndexError", "ValueError"), True),
        ((), True),
    ],
)
async def test_an_error_of_a_class_derived_from_one_that_the_policy_names_is_not_worth_another_attempt(
    names: tuple[str, ...], retryable: bool
) -> None:
    @task
    async def looks_up(_ctx: TaskContext) -> None:
        raise KeyError("no such card")

    server = FakeServer()
    task_id = server.add("looks_up", non_retryable=names)
    async with serving(worker_of(server, App(tasks=[looks_up]))):
        _, body = await server.report_of(task_id)
    assert body["retryable"] is retryable


async def test_a_failure_carries_message_and_stack(app: App) -> None:
    server = FakeServer()
    task_id = server.add("raises", "value")
    async with serving(worker_of(server, app)):
        _, body = await server.report_of(task_id)
    error = body["error"]
    assert isinstance(error, dict)
    assert error["message"] == "a bad value"
    assert 'raise ValueError("a bad value")' in str(error["stack"])


@pytest.mark.parametrize("action", ["complete", "fail"])
async def test_a_report_is_repeated_until_it_is_answered(app: App, action: str) -> None:
    server = FakeServer()
    server.say(action, httpx2.ConnectError("refused"), UNAVAILABLE, httpx2.ReadTimeout("slow"), DENIED)
    task_id = server.add("charge", {"amount": 5 if action == "complete" else "many"})
    async with serving(worker_of(server, app)):
        assert (await server.report_of(task_id))[0] == action
    assert server.count(action) == 5


async def test_a_result_that_the_server_will_not_take_fails_the_task(app: App) -> None:
    server = FakeServer()
    server.say("complete", (413, {"error": "over 1 MB", "code": "PAYLOAD_TOO_LARGE"}))
    task_id = server.add("charge", {"amount": 5})
    async with serving(worker_of(server, app)):
        action, body = await server.report_of(task_id)
    assert (action, body["retryable"]) == ("fail", False)


# --- leases and cancellation --------------------------------------------------------------------


async def test_the_lease_is_renewed_while_a_task_runs(app: App, gate: Gate) -> None:
    server = FakeServer(heartbeat_ms=5)
    task_id = server.add("waits")
    async with serving(worker_of(server, app)):
        await server.until(lambda: server.count("heartbeat") >= 3)
        gate.opened.set()
        assert (await server.report_of(task_id))[0] == "complete"


async def test_a_heartbeat_that_is_not_answered_does_not_disturb_the_task(app: App, gate: Gate) -> None:
    server = FakeServer(heartbeat_ms=5)
    server.say("heartbeat", *[httpx2.ConnectError("refused")] * 4, DENIED)
    task_id = server.add("waits")
    async with serving(worker_of(server, app)):
        await server.until(lambda: server.count("heartbeat") >= 7)
        gate.opened.set()
        assert (await server.report_of(task_id))[0] == "complete"


async def test_an_attempt_that_is_no_longer_ours_is_cancelled_and_not_reported(app: App, gate: Gate) -> None:
    server = FakeServer(heartbeat_ms=5)
    server.say("heartbeat", STALE)
    lost = server.add("waits")
    async with serving(worker_of(server, app)):
        await server.until(lambda: server.count("heartbeat") == 1)
        after = server.add("charge", {"amount": 1})
        await server.report_of(after)
    assert (gate.cancelled, gate.entered) == (1, 0)
    assert lost not in server.reports


async def test_a_report_that_comes_too_late_is_dropped(app: App) -> None:
    server = FakeServer()
    server.say("complete", STALE)
    late, after = server.add("charge", {"amount": 1}), server.add("charge", {"amount": 2})
    async with serving(worker_of(server, app)):
        await server.report_of(after)
        await server.until(lambda: server.count("complete") == 2)
    assert late not in server.reports


async def test_a_requested_cancellation_stops_the_task(app: App, gate: Gate) -> None:
    server = FakeServer(heartbeat_ms=5, cancel_requested=True)
    task_id = server.add("waits")
    async with serving(worker_of(server, app)):
        verb, body = await server.report_of(task_id)
    assert (verb, body["retryable"]) == ("fail", False)
    assert body["error"] == {"type": "TaskCancelled", "message": "the task was cancelled"}
    assert gate.cancelled == 1


@pytest.mark.parametrize("kind", ["beats", "beats_in_thread"])
async def test_a_task_can_heartbeat_from_the_loop_and_from_its_thread(app: App, kind: str) -> None:
    server = FakeServer(cancel_requested=True)
    task_id = server.add(kind)
    async with serving(worker_of(server, app)):
        assert (await server.report_of(task_id))[1]["output"] is True


# --- polling ------------------------------------------------------------------------------------


async def test_a_server_that_is_not_there_yet_is_waited_for(app: App) -> None:
    server = FakeServer()
    server.say("workers", httpx2.ConnectError("refused"), UNAVAILABLE)
    task_id = server.add("charge", {"amount": 5})
    async with serving(worker_of(server, app)):
        assert (await server.report_of(task_id))[0] == "complete"
    assert server.count("workers") == 3


async def test_a_refused_registration_ends_the_worker(app: App) -> None:
    server = FakeServer()
    server.say("workers", DENIED)
    with pytest.raises(Unauthenticated, match="who are you"):
        await asyncio.wait_for(worker_of(server, app).run(handle_signals=False), 10)


async def test_failed_polls_are_repeated_and_a_forgotten_worker_registers_again(app: App) -> None:
    server = FakeServer()
    forgotten: Answer = (404, {"error": "unknown worker", "code": "UNKNOWN_WORKER"})
    server.say("poll", httpx2.ReadError("cut"), UNAVAILABLE, (500, {}), DENIED, forgotten)
    task_id = server.add("charge", {"amount": 5})
    async with serving(worker_of(server, app)):
        assert (await server.report_of(task_id))[0] == "complete"
    registrations = [body for path, body in server.requests if path.endswith("/workers")]
    assert [body.get("workerId") for body in registrations] == [None, "worker-of-default"]


async def test_an_idle_worker_holds_one_request_and_does_not_spin(app: App) -> None:
    server = FakeServer()
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with serving(worker_of(server, app, poll_wait_s=0.1)):
        await server.until(lambda: server.count("poll") == 4)
        # However slow the machine: each poll but the last was held for its whole wait.
        assert loop.time() - began >= 3 * 0.1 - 0.02


async def test_a_server_that_does_not_hold_polls_is_not_asked_again_at_once(app: App) -> None:
    server = FakeServer()
    empty: Answer = (200, {"tasks": []})
    server.say("poll", *[empty] * 1_000)
    async with serving(worker_of(server, app, poll_wait_s=20, backoff_s=0.05)):
        await asyncio.sleep(0.3)
        assert server.count("poll") <= 6
        server._scripts["poll"].clear()
        server.add("charge", {"amount": 1})
        await server.until(lambda: len(server.reports) == 1)
        for _ in range(3):  # release the poll that is open, so that draining need not wait for it
            server.add("charge", {"amount": 1})


def test_backoff_doubles_to_its_limit_spreads_and_starts_over() -> None:
    none, all = Backoff(initial_s=1, max_s=5, draw=lambda: 0.0), Backoff(initial_s=1, max_s=5, draw=lambda: 1.0)
    assert [none.next_s() for _ in range(5)] == [1, 2, 4, 5, 5]
    assert [all.next_s() for _ in range(5)] == [0.5, 1, 2, 2.5, 2.5]
    none.reset()
    assert none.next_s() == 1
    assert none.next_s(at_least_s=7) == 7


# --- stopping -----------------------------------------------------------------------------------


async def test_draining_lets_running_tasks_finish_and_report(app: App, gate: Gate) -> None:
    server = FakeServer()
    task_id = server.add("waits")
    worker = worker_of(server, app)
    running = asyncio.create_task(worker.run(handle_signals=False))
    await asyncio.wait_for(gate.someone_entered.wait(), 10)
    worker.stop()
    polls = server.count("poll")
    gate.opened.set()
    await asyncio.wait_for(running, 10)
    assert server.reports[task_id][0] == "complete"
    assert server.count("poll") <= polls + 1


async def test_what_an_open_poll_claims_while_draining_is_still_done(app: App) -> None:
    server = FakeServer()
    worker = worker_of(server, app, poll_wait_s=5)
    running = asyncio.create_task(worker.run(handle_signals=False))
    await server.until(lambda: server.count("poll") == 1)
    worker.stop()
    task_id = server.add("charge", {"amount": 5})
    await asyncio.wait_for(running, 10)
    assert server.reports[task_id][0] == "complete"


async def test_after_the_grace_period_a_running_task_is_given_up(app: App, gate: Gate) -> None:
    server = FakeServer()
    task_id = server.add("waits")
    worker = worker_of(server, app, grace_s=0.05)
    running = asyncio.create_task(worker.run(handle_signals=False))
    await asyncio.wait_for(gate.someone_entered.wait(), 10)
    worker.stop()
    await asyncio.wait_for(running, 10)
    assert gate.cancelled == 1
    assert task_id not in server.reports


async def test_a_second_stop_does_not_wait_for_anything(app: App, gate: Gate) -> None:
    server = FakeServer()
    server.add("waits")
    worker = worker_of(server, app, grace_s=600, poll_wait_s=20)
    running = asyncio.create_task(worker.run(handle_signals=False))
    await asyncio.wait_for(gate.someone_entered.wait(), 10)
    worker.stop()
    worker.stop()
    await asyncio.wait_for(running, 10)
    assert gate.cancelled == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_termination_signal_drains(app: App, gate: Gate, number: signal.Signals) -> None:
    server = FakeServer()
    task_id = server.add("waits")
    running = asyncio.create_task(worker_of(server, app).run())
    await asyncio.wait_for(gate.someone_entered.wait(), 10)
    os.kill(os.getpid(), number)
    gate.opened.set()
    await asyncio.wait_for(running, 10)
    assert server.reports[task_id][0] == "complete"


async def test_cancelling_the_worker_cancels_its_tasks(app: App, gate: Gate) -> None:
    server = FakeServer()
    server.add("waits")
    running = asyncio.create_task(worker_of(server, app).run(handle_signals=False))
    await asyncio.wait_for(gate.someone_entered.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 10)
    assert gate.cancelled == 1


@pytest.mark.parametrize("options", [{"queues": ()}, {"concurrency": 0}, {"poll_wait_s": 0}, {"poll_wait_s": 21}])
async def test_options_out_of_range_are_refused(app: App, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        worker_of(FakeServer(), app, **options)
    with pytest.raises(ConfigurationError, match="no tasks"):
        worker_of(FakeServer(), App())


# --- several queues, pausing, presence ----------------------------------------------------------


async def test_a_queue_has_no_more_tasks_running_than_its_own_limit(app: App, gate: Gate) -> None:
    server = FakeServer()
    for queue in ("a", "b"):
        for _ in range(4):
            server.add("waits", queue=queue)
    async with serving(worker_of(server, app, concurrency=10, queues={"a": 1, "b": None})):
        await server.until(lambda: _polled(server, "b") >= 2)
        await gate.reached(5)
        assert _polled(server, "a") == 1  # there is no room for another of its tasks
        gate.opened.set()
        await server.until(lambda: len(server.reports) == 8)


def _polled(server: FakeServer, queue: str) -> int:
    return sum(path.endswith(f"/queues/{queue}/poll") for path, _ in server.requests)


async def test_it_registers_once_for_all_its_queues_with_its_version(app: App) -> None:
    server = FakeServer()
    async with serving(worker_of(server, app, queues=("a", "b"), version="v7")):
        await server.until(lambda: _polled(server, "a") > 0 and _polled(server, "b") > 0)
    (registration,) = [body for path, body in server.requests if path.endswith("/workers")]
    assert (registration["queues"], registration["version"]) == (["a", "b"], "v7")
    assert {body["workerId"] for path, body in server.requests if path.endswith("/poll")} == {"worker-of-a-b"}


async def test_a_paused_worker_takes_nothing_until_it_is_resumed(app: App) -> None:
    server = FakeServer()
    worker = worker_of(server, app)
    worker.pause()
    task_id = server.add("charge", {"amount": 5})
    async with serving(worker):
        await server.until(lambda: server.count("workers") == 1)
        assert (worker.state, server.count("poll")) == ("PAUSED", 0)
        worker.resume()
        await server.report_of(task_id)
        assert worker.state == "RUNNING"


async def test_what_runs_goes_on_while_the_worker_is_paused(app: App, gate: Gate) -> None:
    server = FakeServer()
    task_id = server.add("waits")
    worker = worker_of(server, app)
    async with serving(worker):
        await asyncio.wait_for(gate.someone_entered.wait(), 10)
        worker.pause()
        gate.opened.set()
        assert (await server.report_of(task_id))[0] == "complete"
        await server.until(lambda: server.states == ["PAUSED"])


async def test_one_queue_can_be_paused_alone(app: App) -> None:
    server = FakeServer()
    worker = worker_of(server, app, queues=("a", "b"))
    worker.pause("a")
    waiting, done = server.add("charge", {"amount": 1}, queue="a"), server.add("charge", {"amount": 2}, queue="b")
    async with serving(worker):
        await server.report_of(done)
        assert worker.state == "RUNNING"
        assert waiting not in server.reports
        worker.resume("a")
        await server.report_of(waiting)
    with pytest.raises(ConfigurationError, match="does not poll"):
        worker.pause("c")


async def test_a_paused_worker_drains_like_any_other(app: App) -> None:
    server = FakeServer()
    worker = worker_of(server, app)
    worker.pause()
    async with serving(worker):
        await server.until(lambda: server.count("workers") == 1)
    assert server.count("poll") == 0


async def test_signals_pause_and_resume(app: App) -> None:
    server = FakeServer()
    worker = worker_of(server, app)
    running = asyncio.create_task(worker.run())
    await server.until(lambda: server.count("poll") >= 1)
    os.kill(os.getpid(), signal.SIGUSR1)
    await server.until(lambda: server.states == ["PAUSED"])
    os.kill(os.getpid(), signal.SIGUSR2)
    await server.until(lambda: server.states == ["PAUSED", "RUNNING"])
    worker.stop()
    await asyncio.wait_for(running, 10)
    assert server.states[-1] == "STOPPED"


async def test_a_worker_that_is_busy_lets_the_server_hear_of_it(app: App, gate: Gate) -> None:
    server = FakeServer()
    server.add("waits")
    async with serving(worker_of(server, app, concurrency=1, check_in_s=0.01)):
        await server.until(lambda: server.states.count("RUNNING") >= 3)
        gate.opened.set()


async def test_a_worker_whose_check_in_finds_it_forgotten_registers_again(app: App, gate: Gate) -> None:
    server = FakeServer()
    server.say("state", (404, {"error": "who?", "code": "WORKER_NOT_FOUND"}))
    task_id = server.add("waits")
    async with serving(worker_of(server, app, concurrency=1, check_in_s=0.01)):
        await server.until(lambda: server.count("state") >= 1)
        gate.opened.set()
        await server.report_of(task_id)
        await server.until(lambda: server.count("workers") == 2)


async def test_a_worker_that_a_poll_says_is_not_known_registers_again(app: App) -> None:
    server = FakeServer()
    server.say("poll", (200, {"tasks": [], "workerKnown": False}))
    task_id = server.add("charge", {"amount": 5})
    async with serving(worker_of(server, app)):
        await server.report_of(task_id)
    assert server.count("workers") == 2


async def test_a_server_that_cannot_be_told_of_the_end_does_not_hold_the_worker_back(app: App) -> None:
    server = FakeServer()
    server.say("state", httpx2.ConnectError("gone"), httpx2.ConnectError("gone"))
    async with serving(worker_of(server, app)):
        await server.until(lambda: server.count("poll") >= 1)
    assert server.states == []


@pytest.mark.parametrize("options", [{"queues": {}}, {"queues": {"a": 0}}])
def test_limits_of_queues_out_of_range_are_refused(options: dict[str, Any]) -> None:
    @task
    async def nothing(_ctx: TaskContext) -> None: ...

    with pytest.raises(ConfigurationError):
        worker_of(FakeServer(), App(tasks=[nothing]), **options)
