"""`ServiceWorld`: the use cases on stores and queues in memory, with a seam at which a test interferes with any port."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Coroutine, Mapping
from threading import RLock
from typing import Any, TypeAlias, TypeVar

from flowstrand.engine.events import Event, RetryPolicy
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.program import PLAIN_WIRE, Program
from flowstrand.errors import StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.retention import RowRetention
from flowstrand.log.rows import RowLog
from flowstrand.queues.messages import ControlMessage, Due, Wake
from flowstrand.service import executions, polling, tasks, wakes
from flowstrand.service.container import Services
from flowstrand.service.settings import Settings
from flowstrand.service.tasks import ClaimedTask
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.warm import WarmCache
from tests.support.memory_queues import Envelope, Mail, MemoryControl, MemoryTasks, MemoryTimers
from tests.support.memory_stores import Disk, MemoryDirectory, MemoryPayloads, MemoryRetentionRows, MemoryRows
from tests.unit.manual_clock import ManualClock

T = TypeVar("T")
Hook: TypeAlias = Callable[[], object]
Code: TypeAlias = Callable[[Driver, JsonValue], Coroutine[Any, None, JsonValue]]

ORG = OrgId("acme")
ONCE = RetryPolicy(max_retries=0)
_ROUNDS = 1_000


class Killed(BaseException):
    """The process dies here."""


def kill() -> None:
    """A hook: the process dies."""
    raise Killed


def unavailable() -> None:
    """A hook: the store fails."""
    raise StoreUnavailable("the store is away")


def nothing() -> None:
    """A hook: this call goes through."""


class Seam:
    """A `PortCall` that runs hooks, one per call, before and after the operations of a port.

    Attributes:
        calls: the names of the operations carried out.
        rows_read: how many rows of the log those have returned.
        gate: called before every operation, in the caller's thread.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.rows_read = 0
        self.gate: Callable[[str], None] = lambda _: None
        self._before: defaultdict[str, deque[Hook]] = defaultdict(deque)
        self._after: defaultdict[str, deque[Hook]] = defaultdict(deque)
        self._lock = RLock()

    def before(self, name: str, *hooks: Hook) -> None:
        """Run the first of `hooks` before the next operation `name`, the second before the one after, and so on."""
        self._before[name].extend(hooks)

    def after(self, name: str, *hooks: Hook) -> None:
        """The same, once the operation has been carried out."""
        self._after[name].extend(hooks)

    def __call__(self, name: str, operation: Callable[[], T]) -> T:
        self.gate(name)
        _next(self._before[name])
        with self._lock:
            result = operation()
            self.calls.append(name)
            if name in {"log.newest", "log.following"} and result is not None:
                self.rows_read += len(result) if isinstance(result, list) else 1
        _next(self._after[name])
        return result


def _next(hooks: deque[Hook]) -> None:
    if hooks:
        hooks.popleft()()


class _Coded:
    """A `Program` made of a function."""

    wire = PLAIN_WIRE

    def __init__(self, kind: str, code: Code) -> None:
        self.kind = kind
        self._code = code

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        return self._code(driver, input)


class CodeBase:
    """`Programs`: what is deployed just now, by kind."""

    def __init__(self) -> None:
        self.deployed: dict[str, Code] = {}

    def program(self, kind: str) -> Program | None:
        code = self.deployed.get(kind)
        return _Coded(kind, code) if code else None

    def kinds(self) -> Collection[str]:
        return list(self.deployed)


class ServiceWorld:
    """One org. Nothing happens but what a test asks for; virtual time moves when it says so, or when somebody sleeps."""

    def __init__(self, *, warm: int = 16, **settings: int) -> None:
        self.clock = ManualClock()
        self.disk = Disk()
        self.mail = Mail()
        self.seam = Seam()
        self.code = CodeBase()
        self._warm = warm
        self._settings = Settings(warm_executions=warm, **settings)
        self._random = 0
        self.services = self.boot()

    def boot(self) -> Services:
        """Another process on the same stores and queues."""
        return Services(
            log=RowLog(MemoryRows(self.disk, self.seam)),
            payloads=MemoryPayloads(self.disk, self.seam),
            directory=MemoryDirectory(self.disk, self.seam),
            control=MemoryControl(self.mail, self.clock, self.seam),
            tasks=MemoryTasks(self.mail, self.clock, self.seam),
            timers=MemoryTimers(self.mail, self.seam),
            clock=self.clock,
            random_bytes=self._random_bytes,
            programs=self.code,
            tokens=LeaseTokens("a secret of at least thirty-two bytes"),
            changes=self,
            warm=WarmCache(self._warm),
            settings=self._settings,
            retention=RowRetention(MemoryRetentionRows(self.disk, self.seam)),
        )

    def restart(self) -> None:
        """This process ends and another takes its place; queues and stores live on."""
        self.services = self.boot()

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        """Nobody follows a stream here."""

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:
        """Nor a tree."""
        return frozenset()

    def _random_bytes(self, count: int) -> bytes:
        self._random += 1
        return self._random.to_bytes(count, "big")

    # --- what people and workers do -----------------------------------------------------------

    def start(self, code: Code, input: JsonValue = None) -> str:
        """Deploy `code` under its function's name and start an execution of it; nothing runs yet."""
        kind = getattr(code, "__name__", "code")
        self.code.deployed[kind] = code
        request = executions.StartRequest(kind=kind, input=input)
        return executions.start(self.services, ORG, request).workflow_execution_id

    def begin(self, code: Code, input: JsonValue = None) -> str:
        """Start an execution and run its first turn."""
        execution = self.start(code, input)
        self.settle()
        return execution

    def claim(self, *kinds: str, limit: int = 10) -> list[ClaimedTask]:
        """Poll as worker `w-1` until something is claimed, or nothing of these kinds is left to be received."""
        while any(
            e.visible_at_ms <= self.clock.now_ms() and e.message.queue == "default" for e in self.mail.tasks
        ):
            polled = polling.poll(
                self.services, ORG, "default", worker_id="w-1", kinds=kinds or ("work",), limit=limit, wait_s=0
            )
            if polled.tasks:
                return list(polled.tasks)
        return []

    def complete(self, task: ClaimedTask, output: JsonValue = "done") -> int:
        """Report success."""
        return tasks.complete(
            self.services, ORG, task.task_execution_id, lease_token=task.lease_token, output=output
        )

    # --- the machinery ------------------------------------------------------------------------

    def settle(self) -> None:
        """Deliver every control message that is due, until none is."""
        for _ in range(_ROUNDS):
            due = next((e for e in self.mail.control if e.visible_at_ms <= self.clock.now_ms()), None)
            if due is None:
                return
            self.deliver(due)
        raise AssertionError("the control queue never ran dry")

    def deliver(self, envelope: Envelope[ControlMessage]) -> None:
        """Deliver one message; unless handling it fails, it is acknowledged."""
        envelope.visible_at_ms = self.clock.now_ms() + self._settings.wake_visibility_ms
        wakes.handle(self.services, envelope.message)
        self.mail.control.remove(envelope)

    def die(self) -> None:
        """Settle until the process is killed by a hook, then start another. What it had in hands comes again."""
        try:
            self.settle()
        except Killed:
            self.restart()
            return
        raise AssertionError("nothing killed the process")

    def jump(self, duration_ms: int) -> None:
        """Let time pass, and deliver what is due then."""
        self.clock.advance(duration_ms)
        self.settle()

    # --- what there is ------------------------------------------------------------------------

    def commits(self, execution: str) -> list[Commit]:
        """The log, commit by commit."""
        return self.disk.commits.get(key_of(execution), [])

    def events(self, execution: str) -> list[Event]:
        """The log, event by event; payloads as they are stored."""
        return [event for commit in self.commits(execution) for event in unpack_events(commit)]

    def types(self, execution: str) -> str:
        """The log as the names of its events."""
        return " ".join(event.type for event in self.events(execution))

    def tally(self, execution: str, event_type: str) -> int:
        """How many events of one type the log has."""
        return self.types(execution).split().count(event_type)

    def wakes(self) -> list[Wake]:
        """Every wake under way."""
        return [e.message for e in self.mail.control if isinstance(e.message, Wake)]

    def dues(self) -> list[Due]:
        """Every due message under way."""
        return [e.message for e in self.mail.control if isinstance(e.message, Due)]


def key_of(execution: str) -> LogKey:
    """Whose log it is."""
    return LogKey(ORG, ExecutionId(execution))


def work(driver: Driver, input: JsonValue = None, *, kind: str = "work", retry: RetryPolicy = ONCE) -> Future:
    """Schedule a task as workflow code does."""
    return driver.schedule_task(kind, input, queue="default", retry=retry)
