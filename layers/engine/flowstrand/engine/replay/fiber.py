"""`Fiber`: one branch of workflow code, a coroutine driven by hand."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from flowstrand.engine.replay.foreign import refusal
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.waits import Wait
from flowstrand.errors import ForeignAwaitable

_REFUSALS = 100
"""How often one step may await something foreign before the branch is failed: code may catch the refusal and try again."""
_UNWIND_STEPS = 1_000
"""How many `finally` blocks that await are unwound, one at a time, when a coroutine is dropped."""


class CoroutineDropped(BaseException):
    """Thrown into a suspended coroutine that is dropped from memory, so that it unwinds.

    Not `close()`: where code awaits while it unwinds, that ends the outer coroutine and leaves the inner one hanging.
    """


class Fiber:
    """A coroutine, what it waits for, and the future that its end settles."""

    __slots__ = ("_coroutine", "future", "wait")

    def __init__(self, coroutine: Coroutine[Any, None, Any], future: Future) -> None:
        self._coroutine = coroutine
        self.future = future
        self.wait: Wait | None = None

    def step(self) -> tuple[Any, BaseException | None] | None:
        """Run to the next suspension.

        Returns:
            None when suspended (`wait` says on what), else the value and the failure it ended with.
        """
        self.wait = None
        error: BaseException | None = None
        try:
            for _ in range(_REFUSALS):
                yielded = self._coroutine.throw(error) if error else self._coroutine.send(None)
                if isinstance(yielded, Wait):
                    self.wait = yielded
                    return None
                error = refusal(yielded)
        except StopIteration as stop:
            return stop.value, None
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as failure:  # noqa: BLE001 - workflow code may raise anything, and all of it fails the branch
            return None, failure
        self.drop()
        return None, ForeignAwaitable(f"workflow code kept awaiting something foreign: {error}")

    def drop(self) -> None:
        """Unwind the coroutine with a dead context: its `finally` blocks run, but can neither record nor await."""
        for _ in range(_UNWIND_STEPS):
            try:
                self._coroutine.throw(CoroutineDropped())
            except (KeyboardInterrupt, MemoryError):
                raise
            except BaseException:  # noqa: BLE001
                return  # unwound; whatever it raised, nobody is there to hear
