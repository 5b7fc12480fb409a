"""`Environment`: workflows under test, on the real engine, in this process and in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from flowstrand.client.history import HistoryEvent
from flowstrand.engine import ids
from flowstrand.engine.events import ErrorInfo, PromiseCreated
from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.names import is_id
from flowstrand.engine.schema import epoch_ms
from flowstrand.errors import ExecutionStuck, InvalidInput, NotFound
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.app import App, Task, Workflow
from flowstrand.sdk.duration import Duration, to_ms
from flowstrand.sdk.serde import Serde
from flowstrand.service import history
from flowstrand.testing import outside
from flowstrand.testing.clock import VirtualClock
from flowstrand.testing.definitions import Definitions
from flowstrand.testing.handle import ExecutionHandle
from flowstrand.testing.injection import Injection
from flowstrand.testing.recorded import write_history
from flowstrand.testing.scheduling import Scheduling
from flowstrand.testing.stage import ReplayMode, Stage
from flowstrand.testing.starting import Starting
from flowstrand.testing.task_handle import TaskHandle
from flowstrand.testing.tasking import Tasking
from flowstrand.testing.world import ORG, World
from flowstrand.views.history_item import history_item

T = TypeVar("T")
_START = datetime(2026, 1, 1, tzinfo=UTC)
Which: TypeAlias = ExecutionHandle[Any] | str
"""An execution: its handle, or its id."""
Stop: TypeAlias = str | Callable[[HistoryEvent], bool]
"""An event: its type, or what is true of it."""


class Environment(Starting, Scheduling, Injection, Tasking):
    """The engine, the resumer and one worker. Use it as an async context manager.

    Whatever is done to it returns when everything that can happen at this moment has happened; that takes no time.
    Time passes only while somebody waits: for a result, for an event, or in `advance`. Then it jumps to the next moment at
    which something is due, for as long as nothing else can happen.
    """

    def __init__(
        self,
        *,
        workflows: Iterable[Workflow | type] = (),
        tasks: Iterable[Task | type] = (),
        app: App | str | None = None,
        replay: ReplayMode = "cold",
        start_at: datetime = _START,
        seed: int = 0,
        patience_s: float = 0.25,
        limit_s: float = 10.0,
    ) -> None:
        """Check the definitions; nothing runs yet.

        Args:
            app: an app whose workflows and tasks are there, too, or how `--app` would name it.
            replay: "cold" replays every turn from the first event, "warm" continues in memory, "both" does the one and
                the other, and requires the same log of them.
            start_at: the moment at which virtual time begins.
            seed: execution ids derive from it.
            patience_s: how many real seconds a silent attempt is waited for before virtual time passes without it.
            limit_s: how many real seconds one wait of the test may take.

        Raises:
            ConfigurationError: there is no such app.
            InvalidDefinition: something is declared wrongly, or `start_at` has no time zone.
        """
        self._definitions = Definitions(app=app, workflows=workflows, tasks=tasks)
        self._clock = VirtualClock(_moment_ms(start_at))
        self._random = random.Random(seed)
        self._options: dict[str, Any] = {
            "mode": replay,
            "seed": seed,
            "patience_s": patience_s,
            "limit_s": limit_s,
        }
        self._entered: Stage | None = None

    async def __aenter__(self) -> Self:
        self._entered = Stage(self._definitions, self._clock, **self._options)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._stage.require_health()
        finally:
            await self._stage.close()

    # --- time -----------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """Virtual time."""
        return datetime.fromtimestamp(self._clock.now_ms() / 1_000, UTC)

    async def advance(self, duration: Duration) -> None:
        """Let exactly this much time pass (seconds, or a timedelta), and everything happen that is due meanwhile."""
        await self._stage.advance(to_ms(duration, "a duration"))

    async def sleep(self, duration: Duration) -> None:
        """In a task or its fake: take this long, in virtual time; `math.inf` never returns. In a test: `advance`."""
        seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
        if not await self._stage.workforce.sleep(seconds):
            await self.advance(duration)

    # --- looking --------------------------------------------------------------------------------

    async def events(self, execution: Which, *, after: int = 0) -> list[HistoryEvent]:
        """Every event beyond `after` that is in the log now, as clients see them."""
        await self._stage.settle()
        return self._events(self._id(execution), after)

    async def history(self, execution: Which) -> JsonObject:
        """The whole log as the history route gives it: what `replay_history` takes."""
        await self._stage.settle()
        events = self._stage.world.events(self._existing(execution))
        return {"events": [history_item(event) for event in events]}

    async def record(self, execution: Which, file: Path | str) -> None:
        """Write `history` to a file, without the stacks of failures: those name places on this machine."""
        id = self._existing(execution)
        await self._stage.settle()
        write_history(Path(file), self._stage.world.events(id))

    async def collect_events_until(self, execution: Which, stop: Stop, *, after: int = 0) -> list[HistoryEvent]:
        """Let time pass until the log holds `stop` beyond `after`; returns everything from `after` up to and including it.

        What counts is the order of the log, so nothing that came before `stop` can be missing.

        Raises:
            ExecutionStuck: the execution ended, or nothing more can happen, and `stop` has not come.
            TimeoutError: it takes too much real time.
        """
        id = self._existing(execution)
        found: list[HistoryEvent] = []

        def has_stopped() -> bool:
            found.extend(self._events(id, found[-1].sequence if found else after))
            return any(_matches(event, stop) for event in found) or self._is_closed(id)

        await self._stage.run_until(has_stopped, f"{stop} in {id}")
        for count, event in enumerate(found, start=1):
            if _matches(event, stop):
                return found[:count]
        types = ", ".join(event.type for event in found)
        raise ExecutionStuck(f"{id} ended without {stop}; after {after} it has: {types}")

    # --- the world outside ----------------------------------------------------------------------

    async def signal(self, execution: Which, name: str, value: object = None) -> None:
        """Send a signal.

        Raises:
            NotFound, Conflict: there is no such execution, or it has ended.
        """
        id, data = self._existing(execution), self._encoded(value, f"the value of signal {name!r}")
        await self._do(lambda world: outside.signal(world, id, name, data))

    async def resolve_promise(self, promise: str, value: object = None) -> bool:
        """Resolve a promise, named by its id or `key:<key>`; returns whether that settled it."""
        data = self._encoded(value, "the value of a promise")
        return await self._do(lambda world: outside.resolve_promise(world, promise, data))

    async def reject_promise(self, promise: str, error: BaseException | str) -> bool:
        """Reject a promise, named by its id or `key:<key>`; returns whether that settled it."""
        kind = "PromiseRejected" if isinstance(error, str) else type(error).__name__
        info = ErrorInfo(type=kind, message=str(error))
        return await self._do(lambda world: outside.reject_promise(world, promise, info))

    async def promise(self, execution: Which, name: str) -> str:
        """The id of the promise that the execution made last under this name.

        Raises:
            NotFound: it has made none.
        """
        await self._stage.settle()
        id = self._existing(execution)
        made = [event.data for event in self._stage.world.events(id) if isinstance(event.data, PromiseCreated)]
        found = [data.promise_id for data in made if data.name == name]
        if not found:
            raise NotFound(f"{id} has no promise {name!r}, but {[data.name for data in made]}")
        return found[-1]

    async def cancel(
        self, execution: Which, reason: str | None = None, *, cascade: bool = True, force: bool = False
    ) -> None:
        """Ask an execution to end, its children too unless `cascade` is false; with `force`, end it now."""
        id = self._existing(execution)
        await self._do(lambda world: outside.cancel(world, id, reason=reason, cascade=cascade, force=force))

    async def retry(self, execution: Which, reason: str | None = None) -> ExecutionHandle[Any]:
        """Have another execution go on from the history of a failed one; returns that one's handle.

        Raises:
            NotFound, Conflict: there is no such execution, or it has not failed.
        """
        id, request = self._existing(execution), self._random.randbytes(8).hex()
        retried = await self._do(lambda world: outside.retry(world, id, reason=reason, request_id=request))
        return self._handle(retried, execution.workflow if isinstance(execution, ExecutionHandle) else None)

    def handle(self, execution: str) -> ExecutionHandle[Any]:
        """A handle on an execution that exists: a child, for instance."""
        return self._handle(self._existing(execution), None)

    def executions(self) -> list[str]:
        """The ids of all executions, children included, in the order of their creation."""
        return list(self._stage.world.executions())

    # --- inside ---------------------------------------------------------------------------------

    @property
    def _stage(self) -> Stage:
        if self._entered is None:
            raise RuntimeError("use the environment as a context manager: `async with Environment(…) as env:`")
        return self._entered

    def _handle(self, execution: ExecutionId, workflow: object) -> ExecutionHandle[Any]:
        return ExecutionHandle(self, self._stage, execution, workflow, self._definitions.payloads)

    def _task_handle(self, id: ExecutionId, task: object) -> TaskHandle[Any]:
        return TaskHandle(self, self._stage, id, task, self._definitions.payloads)

    def _new_task_id(self) -> ExecutionId:
        return ids.standalone_task_id(self._clock.now_ms(), self._random.randbytes(10))

    def _new_id(self, asked: str | None) -> ExecutionId:
        if asked is None:
            return ids.execution_id(self._clock.now_ms(), self._random.randbytes(10))
        if not is_id(asked):
            raise InvalidInput(f"{asked!r} is not an id")
        return ExecutionId(asked)

    def _id(self, execution: Which) -> ExecutionId:
        return execution.id if isinstance(execution, ExecutionHandle) else ExecutionId(execution)

    def _existing(self, execution: Which) -> ExecutionId:
        """Raises `NotFound` where there is no such execution."""
        id = self._id(execution)
        history.end(self._stage.world.services, ORG, id)
        return id

    def _encoded(self, value: object, what: str) -> JsonValue:
        return self._definitions.payloads.to_wire(Serde().encode(value, what))

    def _events(self, id: ExecutionId, after: int) -> list[HistoryEvent]:
        items: list[Any] = [history_item(event) for event in self._stage.world.events(id, after=after)]
        return [HistoryEvent(**item) for item in items]

    def _is_closed(self, id: ExecutionId) -> bool:
        return history.end(self._stage.world.services, ORG, id).closed

    async def _do(self, action: Callable[[World], T]) -> T:
        await self._stage.settle()
        result = self._stage.act(action)
        await self._stage.settle()
        return result


def _matches(event: HistoryEvent, stop: Stop) -> bool:
    return event.type == stop if isinstance(stop, str) else stop(event)


def _moment_ms(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise InvalidInput("start_at needs an aware datetime, e.g. datetime(..., tzinfo=UTC)")
    return epoch_ms(moment.isoformat())
