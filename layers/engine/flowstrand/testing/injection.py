"""Fakes and faults: the part of `Environment` that makes things go as a test wants them to."""

from __future__ import annotations

from collections.abc import Callable

from flowstrand.sdk.duration import Duration, to_ms
from flowstrand.testing.base import Base
from flowstrand.testing.definitions import kind_of
from flowstrand.testing.faults import AttemptMoment, FailedAttempt, LostAttempt, TurnMoment


class Injection(Base):
    """`fake`, and what is to fail. Workflows and tasks are given by reference or by name."""

    def fake(self, task: object, function: Callable[..., object]) -> None:
        """From now on, run `function` instead of the task.

        It takes `(ctx, input)`, `(ctx)` or nothing, may be `async`, and may be a mock. What goes in and what comes out is
        of the task's own types, as far as the environment knows the task.
        """
        self._definitions.fake(task, function)

    def unfake(self, task: object) -> None:
        """From now on, run the task itself again."""
        self._definitions.unfake(task)

    def fail_next(self, task: object, error: BaseException, *, times: int = 1) -> None:
        """The next `times` attempts of the task raise `error` instead of running."""
        self._stage.workforce.faults.plan(kind_of(task), FailedAttempt(error=error), times)

    def crash_next(self, task: object, *, when: AttemptMoment = "before_run", times: int = 1) -> None:
        """The worker dies in the next `times` attempts, before the task's code runs, or after, with its result unreported.

        Nobody reports such an attempt, and nobody renews its lease: it fails when that has run out.
        """
        self._stage.workforce.faults.plan(kind_of(task), LostAttempt(moment=when), times)

    def crash_next_turn(
        self, workflow: object = None, *, when: TurnMoment = "before_commit", times: int = 1
    ) -> None:
        """The process dies in the next `times` turns (of this workflow), before or after it has written what they came to.

        What it held in memory is lost, and the message that it was handling comes again.
        """
        kind = None if workflow is None else kind_of(workflow)
        for world in self._stage.worlds:
            world.faults.crash_turns(kind, when, times)

    def delay_wakes(self, delay: Duration, *, times: int = 1) -> None:
        """The next `times` wakes arrive this much later (seconds, or a timedelta)."""
        for world in self._stage.worlds:
            world.faults.disturb_wakes(delay_ms=to_ms(delay, "a delay"), times=times)

    def duplicate_wakes(self, *, copies: int = 2, times: int = 1) -> None:
        """The next `times` wakes arrive so many times."""
        for world in self._stage.worlds:
            world.faults.disturb_wakes(copies=copies, times=times)
