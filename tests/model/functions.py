"""`ctx.run` functions under the seed: when they finish, in which order, and how long the process stands still meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.model.world import World


class FunctionRunner:
    """Stands for the thread pool and for waiting for it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._unfinished: dict[Future[Any], Callable[[], Any]] = {}
        self.calls = 0

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Begin `function`; it finishes during some later `wait`."""
        future: Future[Any] = Future()
        self._unfinished[future] = lambda: function(*arguments)
        return future

    def wait(self, futures: Iterable[Future[Any]], *, timeout: float) -> None:
        """Finish one of `futures`, or let the time pass, sometimes far more of it than was asked for."""
        random = self._world.random
        draw = random.random()
        if draw < 0.15:
            self._world.sleep_ms(timeout * 1_000 * (1 if draw < 0.1 else 7))
            return
        self._world.sleep_ms(1)
        waiting = [future for future in futures if not future.done()]
        for future in random.sample(waiting, random.randint(1, len(waiting))):
            self.calls += 1
            future.set_result(self._unfinished.pop(future)())
