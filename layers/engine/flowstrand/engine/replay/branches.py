"""The branches of one execution's code: stepped by hand, first released first, until every one waits.

An interruption (a cancellation, a timeout of the author's) is raised at the wait of a branch, once, unless the wait is
shielded: then it stays pending until the branch comes to one that is not. A branch that waits for branches of its own is
interrupted after they have ended, so that whatever they do to clean up is done before it goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import Any

from flowstrand.engine.replay.fiber import Fiber, Interrupt
from flowstrand.engine.replay.foreign import no_event_loop
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.waits import Mode, Wait


class Branches:
    """Of one execution.

    Attributes:
        current: the branch that is being stepped.
        is_stopped: whether no branch is to be stepped any more.
    """

    def __init__(self) -> None:
        self.current: Fiber | None = None
        self.is_stopped = False
        self._live: dict[int, Fiber] = {}
        self._ready: deque[Fiber] = deque()
        self._suspended: dict[int, Fiber] = {}
        self._stuck: list[Fiber] = []
        self._rank = 0

    def begin(self, coroutine: Coroutine[Any, None, Any], future: Future, *, is_shielded: bool = False) -> None:
        """Add a branch, which `run` will step. It inherits the shield and a pending interruption of the current one."""
        fiber = Fiber(coroutine, future, is_shielded=is_shielded)
        if self.current is not None:
            fiber.is_shielded |= self.current.is_shielded
            fiber.interrupt = fiber.pending = self.current.pending
        self._live[id(future)] = fiber
        self._ready.append(fiber)

    def next_rank(self) -> int:
        """The rank of what settles now among all that has settled."""
        self._rank += 1
        return self._rank

    def settle(self, future: Future, value: Any = None, failure: BaseException | None = None) -> None:
        """Settle `future`; the branches that this releases are ready."""
        for wait in future.settle(self.next_rank(), value, failure):
            fiber = self._suspended.pop(id(wait), None)
            if fiber is not None:  # else the wait of a branch that was dropped, made while it unwound
                self._ready.append(fiber)

    def run(self, main: Future) -> None:
        """Step branches until every one waits, or the one whose end settles `main` has ended."""
        with no_event_loop():
            while self._ready and not self.is_stopped and not main.is_done:
                self._step(self._ready.popleft())

    def interrupt_all(self, interrupt: Interrupt) -> None:
        """Interrupt every branch, in the order in which they began."""
        for fiber in list(self._live.values()):
            self._interrupt(fiber, interrupt)

    def interrupt(self, future: Future, interrupt: Interrupt) -> bool:
        """Interrupt the branch whose end settles `future`; says whether there is one."""
        fiber = self._live.get(id(future))
        if fiber is not None:
            self._interrupt(fiber, interrupt)
        return fiber is not None

    def shield(self, future: Future) -> None:
        """Keep interruptions out of the branch whose end settles `future`, if there is one, from now on."""
        fiber = self._live.get(id(future))
        if fiber is not None:
            fiber.is_shielded = True
            if fiber.wait is not None:
                fiber.wait.is_shielded = True

    def waits(self) -> list[Wait]:
        """What each branch waits for, in the order in which they began."""
        return [fiber.wait for fiber in self._live.values() if fiber.wait is not None]

    def drop(self) -> None:
        """Forget every branch: their coroutines unwind."""
        self.is_stopped = True
        self._ready.clear()
        with no_event_loop():
            for fiber in [*self._live.values(), *self._stuck]:
                fiber.drop()
            self._stuck.clear()

    def _step(self, fiber: Fiber) -> None:
        self.current = fiber
        try:
            ended = fiber.step()
        finally:
            self.current = None
        if ended is None:
            self._suspend(fiber)
            return
        del self._live[id(fiber.future)]
        if fiber.is_stuck:
            self._stuck.append(fiber)
        self.settle(fiber.future, *ended)

    def _suspend(self, fiber: Fiber) -> None:
        wait = fiber.wait
        assert wait is not None
        wait.is_shielded |= fiber.is_shielded
        self._suspended[id(wait)] = fiber
        if fiber.pending is not None and fiber.is_interruptible:
            pending, fiber.pending = fiber.pending, None
            self._throw(fiber, pending)

    def _interrupt(self, fiber: Fiber, interrupt: Interrupt) -> None:
        if fiber.interrupt is interrupt:
            return
        fiber.interrupt = interrupt
        if fiber.is_interruptible:
            self._throw(fiber, interrupt)
        else:
            fiber.pending = fiber.pending or interrupt

    def _throw(self, fiber: Fiber, interrupt: Interrupt) -> None:
        wait = fiber.wait
        assert wait is not None
        own = [self._live[id(future)] for future in wait.futures if id(future) in self._live]
        del self._suspended[id(wait)]
        wait.abandon()
        fiber.thrown = interrupt
        if not own:
            self._ready.append(fiber)
            return
        fiber.wait = Wait([branch.future for branch in own], Mode.ALL_SETTLED, is_shielded=True)
        self._suspended[id(fiber.wait)] = fiber
        for branch in own:
            self._interrupt(branch, interrupt)
