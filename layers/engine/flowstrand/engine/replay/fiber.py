"""`Fiber`: one branch of workflow code, a coroutine driven by hand."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
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


Interrupt = Callable[[], BaseException]
"""Makes what an interrupted branch finds raised at its wait: an exception of its own for each branch."""


class Fiber:
    """A coroutine, what it waits for, and the future that its end settles.

    Attributes:
        is_shielded: whether nothing interrupts its waits.
        interrupt: the newest interruption that it was given.
        pending: an interruption that awaits its next unshielded wait.
        thrown: what the next step raises at its wait.
        is_stuck: whether the branch was failed for awaiting something foreign again and again; its coroutine is not unwound
            before its execution's, since its handlers might ask for something.
    """

    __slots__ = ("_coroutine", "future", "interrupt", "is_shielded", "is_stuck", "pending", "thrown", "wait")

    def __init__(self, coroutine: Coroutine[Any, None, Any], future: Future, *, is_shielded: bool = False) -> None:
        self._coroutine = coroutine
        self.future = future
        self.is_shielded = is_shielded
        self.is_stuck = False
        self.wait: Wait | None = None
        self.interrupt: Interrupt | None = None
        self.pending: Interrupt | None = None
        self.thrown: Interrupt | None = None

    @property
    def is_interruptible(self) -> bool:
        """Whether it is suspended where an interruption may be raised."""
        wait = self.wait
        return wait is not None and not wait.is_over and not wait.is_shielded and self.thrown is None

    def step(self) -> tuple[Any, BaseException | None] | None:
        """Run to the next suspension.

        Returns:
            None when suspended (`wait` says on what), else the value and the failure it ended with.
        """
        self.wait = None
        error = self.thrown() if self.thrown else None
        self.thrown = None
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
        self.is_stuck = True
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
