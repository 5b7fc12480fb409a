"""`Stack`: the deployed handlers on SQLite and in-process queues, with a clock that stands still, and a known world.

The world: org `acme` has a key for users and one for workers; execution `CLAIMED` waits for a task that worker
`worker-1` has claimed, execution `QUEUED` for one that nobody has, execution `APPROVAL` for a promise with a key; `FAILED` has failed; `STANDALONE`, a task of its own, was claimed by `worker-1`; schedule
`SCHEDULE` starts orders; channel `CHANNEL` holds `MESSAGES`; org `other` has a key and nothing else.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Collection, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from flowstrand.engine.decide import timeout
from flowstrand.engine.events import RetryPolicy, WorkflowStarted, WorkflowStatus
from flowstrand.engine.ids import ExecutionId, OrgId, execution_id, standalone_task_id
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.program import PLAIN_WIRE, Program
from flowstrand.engine.schedule.timing import Timing
from flowstrand.jsonvalue import JsonValue
from flowstrand.local.lambda_context import LocalContext
from flowstrand.local.payload_transfers import SignedTransfers
from flowstrand.local.stores import Stores, stores_in
from flowstrand.log.packing import pack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.queues.in_process import InProcessControlQueue, InProcessTaskQueue
from flowstrand.queues.messages import Wake
from flowstrand.sdk.app import Task
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.sdk.task import task
from flowstrand.sdk.task_context import TaskContext
from flowstrand.service import append, keys, open_executions, polling, schedules, standalone, wakes
from flowstrand.service.channels import opening
from flowstrand.service.channels.opening import Wanted
from flowstrand.service.clock import Clock
from flowstrand.service.container import Services, install
from flowstrand.service.executions import StartRequest
from flowstrand.service.presence import PresentWorker, WorkerState
from flowstrand.service.schedules import ScheduleRequest
from flowstrand.service.settings import Settings
from flowstrand.service.standalone import TaskRequest
from flowstrand.service.tickets import StreamTickets
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.warm import WarmCache
from flowstrand.streams.response import StreamResponse
from flowstrand.timers.in_process import InProcessTimers
from tests.support.described import undescribed

NOW_MS = 1_795_435_200_000
ACME = OrgId("acme")
OTHER = OrgId("other")
USER_KEY = "fsk_sample-user-key"
WORKER_KEY = "fsk_sample-worker-key"
OTHER_KEY = "fsk_sample-key-of-another-org"
LEASE_SECRET = "a secret of at least thirty-two bytes"
TICKET_SECRET = "another secret of at least thirty-two bytes"
CLAIMED = execution_id(NOW_MS, b"claimed---")
QUEUED = execution_id(NOW_MS, b"queued----")
APPROVAL = execution_id(NOW_MS, b"approval--")
FAILED = execution_id(NOW_MS, b"failed----")
APPROVAL_PROMISE = f"{APPROVAL}.p1"
SCHEDULE = "nightly"
CLAIMED_TASK = f"{CLAIMED}.t1"
QUEUED_TASK = f"{QUEUED}.t1"
PAYLOAD_BODY = b'{"answer":42}'
PAYLOAD = hashlib.sha256(PAYLOAD_BODY).hexdigest()
CHANNEL = "chat"
MESSAGES = b'[{"said":"hello"}]'
STANDALONE = standalone_task_id(NOW_MS, b"standalone")

EVENTS = Path(__file__).parents[2] / "events"


class StillClock:
    """Time moves only by sleeping."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def sleep_ms(self, duration_ms: float) -> None:
        self._now_ms += round(duration_ms)


class StillChanges:
    """Nothing happens while a reader waits, but that time passes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        self._clock.sleep_ms(timeout_ms)

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:
        self._clock.sleep_ms(timeout_ms)
        return frozenset()


class Order:
    """A workflow that waits for one task."""

    wire = PLAIN_WIRE

    kind = "order"

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        return self._run(driver, input)

    async def _run(self, driver: Driver, input: JsonValue) -> JsonValue:
        charged: JsonValue = await driver.schedule_task("charge-card", input, queue="default", retry=RetryPolicy())
        return charged


class Approval:
    """A workflow that waits for a promise."""

    wire = PLAIN_WIRE

    kind = "approval"

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        return self._run(driver)

    async def _run(self, driver: Driver) -> JsonValue:
        approved: JsonValue = await driver.create_promise("approval", key="order-1042")
        return approved


@task(name="charge-card")
async def charge_card(ctx: TaskContext, order: dict[str, int]) -> dict[str, int]:
    """What orders wait for, where the stack runs it."""
    await ctx.stream_token("charging")
    return {"charged": order["amount"]}


class OrderAndApproval:
    """`Programs` of two, and the `TaskCode` of one."""

    payloads = PayloadCodecs.of(None)

    def task(self, kind: str) -> Task | None:
        return charge_card if kind == charge_card.kind else None

    def task_kinds(self) -> Collection[str]:
        return [charge_card.kind]

    def program(self, kind: str) -> Program | None:
        programs: list[Program] = [Order(), Approval()]
        return next((program for program in programs if program.kind == kind), None)

    def kinds(self) -> Collection[str]:
        return [Order.kind, Approval.kind]


class Stack:
    """Handlers, what they run on, and what their logs hold."""

    def __init__(self, stores: Stores | None = None, *, clock: StillClock | None = None, **settings: int) -> None:
        """On SQLite in memory, or on other stores."""
        self.clock = clock or StillClock()
        self._random = 0
        on = stores or stores_in(SqliteDatabase.in_memory())
        control = InProcessControlQueue(self.clock, 60_000)
        self.log = on.log
        self.services = Services(
            log=self.log,
            payloads=on.payloads,
            transfers=on.transfers or SignedTransfers(LEASE_SECRET, self.clock),
            directory=on.directory,
            control=control,
            tasks=InProcessTaskQueue(self.clock),
            timers=InProcessTimers(self.clock, control),
            clock=self.clock,
            random_bytes=self._random_bytes,
            programs=OrderAndApproval(),
            tokens=LeaseTokens(LEASE_SECRET),
            changes=StillChanges(self.clock),
            tickets=StreamTickets(TICKET_SECRET, self.clock),
            warm=WarmCache(16),
            settings=Settings(**settings),
            retention=on.retention,
        )
        self.control = control
        self._undo: list[Callable[[], None]] = []

    def populate(self) -> None:
        """Make the world of the sample events."""
        for org, key, principal in (
            (ACME, USER_KEY, "user"),
            (ACME, WORKER_KEY, "worker"),
            (OTHER, OTHER_KEY, "user"),
        ):
            keys.create(self.services.directory, org, [principal], key=key, now_ms=NOW_MS)
        self._begin(CLAIMED)
        polling.poll(
            self.services, ACME, "default", worker_id="worker-1", kinds=["charge-card"], limit=1, wait_s=0
        )
        self._begin(QUEUED)
        self._begin(APPROVAL, Approval.kind)
        schedules.create(self.services, ACME, nightly())
        self.services.payloads.put(ACME, PAYLOAD, PAYLOAD_BODY)
        report = TaskRequest(kind="charge-card", input={"amount": 7}, queue="alone")
        standalone.start(self.services, ACME, report, task_id=STANDALONE)
        wakes.handle(self.services, Wake(org=ACME, execution_id=STANDALONE, sequence=1))
        opening.open_channel(self.services, ACME, CHANNEL, Wanted(content_type="application/json", body=MESSAGES))
        polling.poll(self.services, ACME, "alone", worker_id="worker-1", kinds=["charge-card"], limit=1, wait_s=0)
        self._begin(FAILED, Approval.kind)
        append.transact(
            self.services,
            LogKey(ACME, FAILED),
            lambda draft: timeout.poison(draft, sequence=draft.state.sequence, turns=10),
        )
        self.services.presence.register(ACME, PRESENT)

    def go_on_from(self, other: Stack) -> None:
        """What is drawn and read from now on follows what the other has drawn and read."""
        self.clock.sleep_ms(other.clock.now_ms() - self.clock.now_ms())
        self._random = other._random

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Call a handler as Lambda would. What it answers to an HTTP request must be as the OpenAPI document has it."""
        handler = importlib.import_module(f"functions.{function}.app").lambda_handler
        response = handler(event, LocalContext(function_name=function))
        if isinstance(response, StreamResponse) or "statusCode" in response:
            assert undescribed(event, response) == []
        return response

    def use(self, services: Services) -> None:
        """Have handlers use these from now on, for the length of the test."""
        self._undo.append(install(services))

    def close(self) -> None:
        """Have handlers use what they used before."""
        while self._undo:
            self._undo.pop()()

    def sequences(self) -> dict[str, list[tuple[int, str]]]:
        """What every log of the world holds: `(first sequence, commit id)` of each commit."""
        return {
            execution: [(c.sequence, c.commit_id) for c in self.log.read(LogKey(ACME, execution), after=0)]
            for execution in (CLAIMED, QUEUED, APPROVAL, STANDALONE)
        }

    def open_executions(self) -> int:
        """How many executions there are that have not ended."""
        return sum(1 for _ in open_executions.every(self.services.directory))

    def _begin(self, execution: ExecutionId, kind: str = Order.kind) -> None:
        self.log.append(first_commit(execution, kind))
        wakes.handle(self.services, Wake(org=ACME, execution_id=execution, sequence=1))

    def _random_bytes(self, count: int) -> bytes:
        self._random += 1
        return hashlib.shake_128(str(self._random).encode()).digest(count)


PRESENT = PresentWorker(
    worker_id="worker-1",
    name="charger",
    queues=("default",),
    task_kinds=("charge-card",),
    workflow_kinds=(),
    state=WorkerState.RUNNING,
    registered_at_ms=NOW_MS,
    last_seen_at_ms=NOW_MS,
    version="2026-11-23",
)
"""The one worker that has registered."""


def nightly() -> ScheduleRequest:
    """The one schedule of the world."""
    timing = Timing(cron="0 2 * * *", time_zone="Europe/Berlin")
    return ScheduleRequest(
        schedule_id=SCHEDULE, timing=timing, start=StartRequest(kind=Order.kind, input={"amount": 5})
    )


def first_commit(execution: ExecutionId, kind: str = Order.kind) -> Commit:
    """Sequence 1 of an order, or of another kind."""
    started = WorkflowStarted(
        workflow_execution_id=execution,
        kind=kind,
        status=WorkflowStatus.PENDING,
        input={"amount": 5},
        queue="default",
    )
    return Commit(
        key=LogKey(ACME, execution),
        sequence=1,
        count=1,
        events=pack_events([started]),
        written_at_ms=NOW_MS,
        commit_id=f"start-{execution}",
    )


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Everything that was logged, extra fields included."""
    return caplog.text + "".join(str(record.__dict__) for record in caplog.records)


def sample(name: str) -> dict[str, Any]:
    """A sample event, e.g. `executions/start`."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def body_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON body of a proxy response."""
    body: dict[str, Any] = json.loads(response["body"])
    return body
