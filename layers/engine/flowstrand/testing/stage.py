"""`Stage`: one world, or two in lockstep, and the passing of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

from flowstrand.engine.events import WorkflowStatus, WorkflowSuspended
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import ExecutionStuck, FlowstrandError
from flowstrand.service import executions
from flowstrand.service.tasks import ClaimedTask
from flowstrand.testing.clock import VirtualClock
from flowstrand.testing.comparison import require_same
from flowstrand.testing.definitions import Definitions
from flowstrand.testing.recall import RecallingPrograms
from flowstrand.testing.workforce import Workforce
from flowstrand.testing.world import ORG, World

T = TypeVar("T")
CLOSED = frozenset({WorkflowStatus.COMPLETED, WorkflowStatus.FAILED, WorkflowStatus.CANCELLED})
ReplayMode: TypeAlias = Literal["cold", "warm", "both"]

_YIELDS = 10
"""Rounds of the event loop that let every sleeper who was woken say what it has to say."""


class Stage:
    """Everything happens here, in this order: what can happen now; then, where nothing can, time passes.

    Attributes:
        world: where tasks run and what tests look at. In mode "both" there is a second, warm where this one is cold,
            in which the same is done; tasks and `ctx.run` functions run in the first alone, and their results go into both.
        workforce: its worker.
    """

    def __init__(
        self,
        definitions: Definitions,
        clock: VirtualClock,
        *,
        mode: ReplayMode,
        seed: int,
        patience_s: float,
        limit_s: float,
    ) -> None:
        self.clock = clock
        self.workforce = Workforce(definitions, clock, self)
        self._patience_s = patience_s
        self._limit_s = limit_s
        self._failure: Exception | None = None
        self.world = World(definitions, clock, is_warm=mode == "warm", seed=seed, claimed=self.workforce.begin)
        self._second: World | None = None
        if mode == "both":
            recalling = RecallingPrograms(definitions, lambda execution: list(self.world.events(execution)))
            self._second = World(recalling, clock, is_warm=True, seed=seed, claimed=_leave)

    @property
    def worlds(self) -> list[World]:
        """Every world."""
        return [self.world] if self._second is None else [self.world, self._second]

    async def close(self) -> None:
        """End everything."""
        await self.workforce.stop()
        for world in self.worlds:
            world.close()

    def act(self, action: Callable[[World], T]) -> T:
        """Do something in every world, and let what follows happen. Raises what `action` raises."""
        try:
            result = action(self.world)
        except FlowstrandError:
            self._echo(action)
            raise
        self._rest(self.world)
        self._echo(action)
        return result

    async def settle(self) -> None:
        """Let everything happen that can happen now; attempts that stay silent are given up waiting for.

        Raises:
            Exception: what broke the engine, or the environment's own complaint.
        """
        for world in self.worlds:
            self._rest(world)
        self._complain()
        while self.workforce.is_busy and await self.workforce.progress(self._patience_s):
            self._complain()

    async def run_until(self, is_done: Callable[[], bool], what: str) -> None:
        """Let things happen and time pass until `is_done`.

        Args:
            what: names what is waited for.

        Raises:
            ExecutionStuck: nothing more can happen.
            TimeoutError: it takes too much real time.
        """
        deadline_s = self._real_s() + self._limit_s
        while True:
            await self.settle()
            if is_done():
                return
            left_s = deadline_s - self._real_s()
            if left_s <= 0:
                raise TimeoutError(
                    f"{what}: not within {self._limit_s:g} real seconds{self._who_is_busy()}{self._who_waits()}"
                )
            if await self._jump() or (self.workforce.is_busy and await self.workforce.progress(left_s)):
                continue
            if not self.workforce.is_busy:
                raise ExecutionStuck(f"{what}: nothing more can happen{self._who_waits()}")

    async def advance(self, duration_ms: int) -> None:
        """Let exactly this much time pass, and everything happen that is due meanwhile."""
        until_ms = self.clock.now_ms() + duration_ms
        await self.settle()
        while await self._jump(until_ms):
            await self.settle()
        await self._move_to(until_ms)
        await self.settle()

    def require_health(self) -> None:
        """Raise what has broken the engine and was not yet raised; in mode "both", require the same logs in both worlds."""
        self._complain()
        if self._second is not None:
            require_same(self.world, "cold", self._second, "warm")

    async def _jump(self, until_ms: int | None = None) -> bool:
        """Move to the next moment at which something is due; false where there is none, or none by `until_ms`."""
        moments = [self.clock.next_ms(), *(world.next_ms() for world in self.worlds)]
        next_ms = min((moment for moment in moments if moment is not None), default=None)
        if next_ms is None or (until_ms is not None and next_ms > until_ms):
            return False
        await self._move_to(next_ms)
        return True

    async def _move_to(self, moment_ms: int) -> None:
        await asyncio.sleep(0)  # whoever was about to act acts before time passes
        if self.clock.advance_to(moment_ms):
            for _ in range(_YIELDS):
                await asyncio.sleep(0)

    def _echo(self, action: Callable[[World], object]) -> None:
        if self._second is None:
            return
        try:
            action(self._second)
        except FlowstrandError:
            return  # as in the first; if only here, the logs will differ
        self._rest(self._second)

    def _rest(self, world: World) -> None:
        """What breaks here is raised where the test waits, not to whichever task's report came before it."""
        deadline_s = self._real_s() + self._limit_s
        try:
            world.rest(lambda: self._real_s() > deadline_s)
        except Exception as error:  # noqa: BLE001
            self._failure = self._failure or error

    def _real_s(self) -> float:
        """Real time, in seconds, from no particular moment."""
        return asyncio.get_running_loop().time()

    def _complain(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _who_is_busy(self) -> str:
        busy = self.workforce.busy()
        return f"; still running: {', '.join(busy)}" if busy else ""

    def _who_waits(self) -> str:
        snapshots = [executions.get(self.world.services, ORG, id) for id in self.world.executions()]
        waiting = [
            f"{known.kind} {known.workflow_execution_id} is {known.status.value}"
            f"{self._for_what(known.workflow_execution_id)}"
            for known in snapshots
            if known.status not in CLOSED
        ]
        return "; " + "; ".join(waiting) if waiting else ""

    def _for_what(self, execution: str) -> str:
        suspensions = [
            event.data.suspend_type
            for event in self.world.events(ExecutionId(execution))
            if isinstance(event.data, WorkflowSuspended) and event.data.suspend_type
        ]
        return f" for a {suspensions[-1].value}" if suspensions else ""


def _leave(claimed: ClaimedTask) -> None:
    """The same attempt runs in the first world, and its report will come here too."""
