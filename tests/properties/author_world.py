"""`AuthorWorld`: one execution of a random workflow, its log made by the real decisions in an order drawn by dice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from flowstrand.engine import ids
from flowstrand.engine.decide import child, promise, task, timer
from flowstrand.engine.decide import turn as decide
from flowstrand.engine.decide.start import start_workflow
from flowstrand.engine.events import (
    CancellationRequested,
    ErrorInfo,
    Event,
    OperationCompleted,
    OperationFailed,
    RetryOf,
    SignalReceived,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStatus,
)
from flowstrand.engine.events.codec import decode, encode
from flowstrand.engine.evolve import Draft, fold
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.fiber import Fiber
from flowstrand.engine.replay.ledger import Operation
from flowstrand.engine.replay.matching import RecordedCommand, position_of
from flowstrand.engine.replay.outcome import Raised, error_info
from flowstrand.engine.replay.patches import marker_of
from flowstrand.engine.retried.history import retried_history
from flowstrand.errors import WorkflowCancelled as Cancellation
from tests.properties.author_program import AuthorProgram
from tests.properties.author_steps import NAMES, Steps

EXECUTION = "01JD0000000000000000000000"
START_MS = 1_795_435_200_000
_ERROR = ErrorInfo(type="ValueError", message="no luck")
_MOST_STEPS = 250
_LATER_MS = 3_600_000
"""When people get round to retrying."""

Standing = tuple[Any, ...]


class Dice:
    """Numbers drawn beforehand; zeros when they are used up, so that a short list is a simple run."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = iter(numbers)

    def roll(self, sides: int) -> int:
        return next(self._numbers, 0) % sides


class Watched(Driver):
    """A driver that counts how often it interrupts each branch with the cancellation."""

    def __init__(self, program: AuthorProgram) -> None:
        super().__init__(program)
        self.program = program
        self.interrupted: dict[int, int] = {}
        self._checking = False

    def check_cancellation(self) -> None:
        self._checking = True
        try:
            super().check_cancellation()
        finally:
            self._checking = False

    def _cancellation(self) -> Cancellation:
        if not self._checking and not self.is_dead:
            fiber = self._branches.current
            assert isinstance(fiber, Fiber)
            self.interrupted[id(fiber.future)] = self.interrupted.get(id(fiber.future), 0) + 1
        return super()._cancellation()

    def standing(self) -> Standing:
        """What the code asks for, what it waits for or came to, and all that it has observed."""
        pending = [(operation.index, operation.name) for operation in self.pending_operations()]
        outcome: Any = pending or self.outcome()
        if isinstance(outcome, Raised):  # a stack may differ by the lines that led to the delivery
            outcome = outcome.error.type, outcome.error.message, outcome.failure_type
        return self.unrecorded(), outcome, tuple(self.program.seen), self.is_cancel_requested

    def traces(self) -> tuple[Any, ...]:
        """All that must stay as it is when the code is dropped."""
        return *self.standing(), self.unrecorded_patches(), dict(self.values)


class AuthorWorld:
    """Attributes:
    log: the events so far.
    standings: how the code stood after each event, when it was delivered for the first time.
    is_old: whether the code is that of before the patches.
    """

    def __init__(
        self, steps: Steps, dice: Dice, *, warm: bool = True, is_old: bool = False, is_cancelled: bool = False
    ) -> None:
        self.steps = steps
        self.log: list[Event] = []
        self.standings: dict[int, Standing] = {}
        self.is_old = is_old
        self._dice = dice
        self._is_warm = warm
        self._cancel_sides = 1 if is_cancelled else 5
        self._now_ms = START_MS
        self._warm: Watched | None = None
        self._ahead: list[Event] = []
        self._append(start_workflow(EXECUTION, kind="random", input=None, queue="default"))
        self.state = fold(None, self.log)

    # --- running ------------------------------------------------------------------------------

    def live(self, *, most_steps: int = _MOST_STEPS) -> None:
        """Let things happen until the execution ends, or has had its share of steps."""
        for _ in range(most_steps):
            if self.state.closed:
                return
            if not self.state.is_runnable:
                self._assert_nothing_to_do()
            self._happen()

    def retried(self) -> AuthorWorld:
        """The world of a retry of this execution, which has failed: its log as far as it was copied."""
        retry_of = RetryOf(workflow_execution_id=EXECUTION, sequence=len(self.log), origin=EXECUTION)
        world = AuthorWorld(self.steps, self._dice, warm=self._is_warm, is_old=self.is_old)
        world._now_ms = self._now_ms + _LATER_MS
        history = retried_history(
            self.log, ids.retry_id(EXECUTION, "again"), retry_of=retry_of, begins_at_ms=world._now_ms
        )
        world.log = [
            Event(
                sequence=sequence,
                timestamp_ms=world._now_ms,
                data=decode(encode(copied.data)),
                happened_at_ms=copied.happened_at_ms,
            )
            for sequence, copied in enumerate(history, start=1)
        ]
        world.state = fold(None, world.log)
        world.note_horizon()
        return world

    def note_horizon(self) -> None:
        """How the code stood when the turn that the log has last closed, which nobody has watched."""
        with self.cold(self.state.horizon) as driver:
            self.standings[self.state.horizon] = driver.standing()

    def deploy(self) -> None:
        """The code of since the patches takes over."""
        self._forget()
        self.is_old = False

    @contextmanager
    def cold(self, length: int | None = None) -> Iterator[Watched]:
        """The code, replayed from the first `length` events; dropped afterwards, without a trace."""
        driver = self._replayed(length)
        try:
            yield driver
        finally:
            before = driver.traces()
            driver.drop()
            assert driver.traces() == before, "the code saw that it was dropped"

    def _replayed(self, length: int | None) -> Watched:
        driver = Watched(AuthorProgram(self.steps, is_old=self.is_old))
        prefix = self.log[:length]
        driver.foresee(prefix)
        for event in prefix:
            driver.deliver(event, replaying=True)
        return driver

    def _assert_nothing_to_do(self) -> None:
        """The state says that the code waits on: then nothing that has come since makes it do anything."""
        with self.cold() as driver:
            self._assert_waits(driver)

    def _assert_waits(self, driver: Watched) -> None:
        recorded = {position_of(event.data) for event in self.log if isinstance(event.data, RecordedCommand)}
        asked = [command for command in driver.unrecorded() if command.position not in recorded]
        _, _, seen, _ = self.standings[self.state.horizon]
        assert tuple(driver.program.seen) == seen, "a lost wake-up"
        assert not asked, f"a lost wake-up: {asked}"
        assert driver.finished_at is None, "a lost wake-up: the end"
        assert not driver.pending_operations(), "a lost wake-up: a function"

    def _happen(self) -> None:
        turn = [self._turn] if self.state.is_runnable or self._dice.roll(12) == 1 else []
        choices = [*turn, *self._outside()]
        choices[self._dice.roll(len(choices))]()

    # --- what others do -----------------------------------------------------------------------

    def _outside(self) -> list[Callable[[], object]]:
        """What may happen next: first what brings the execution forward."""
        state, acts = self.state, list[Callable[[], object]]()
        acts += [partial(self._end_task, position) for position in state.tasks]
        acts += [partial(self._end_child, position) for position in state.children]
        acts += [partial(self._settle_promise, position) for position in state.promises]
        timers = sorted(state.timers, key=lambda position: state.timers[position].fire_at_ms)
        acts += [partial(self._fire, position) for position in timers[:1]]
        acts += [partial(self._signal, name) for name in (NAMES if len(self.log) % 2 else NAMES[::-1])]
        if state.cancel_requested_at is None and state.has_begun and not self._dice.roll(self._cancel_sides):
            acts += [self._cancel] * max(1, len(acts) // self._cancel_sides)
        acts.append(self._forget)
        return acts

    def _append(self, *data: Any) -> None:
        for one in data:
            event = Event(sequence=len(self.log) + 1, timestamp_ms=self._now_ms, data=decode(encode(one)))
            self.log.append(event)
            self._ahead.append(event)

    def _draft(self) -> Draft:
        self._now_ms += 10
        return Draft(self.state, self._now_ms)

    def _commit(self, draft: Draft) -> None:
        self._append(*draft.events)
        self.state = fold(self.state, self.log[self.state.sequence :])
        assert self.state == draft.state

    def _end_task(self, position: int) -> None:
        draft = self._draft()
        attempt = draft.state.tasks[position].attempts + 1
        assert task.claim(draft, position, attempt=attempt, worker_id="w", lease_ms=60_000)
        if self._dice.roll(3) == 1:
            task.fail(draft, position, attempt=attempt, error=_ERROR)
        else:
            task.complete(draft, position, attempt=attempt, output=f"task {position}")
        self._commit(draft)

    def _end_child(self, position: int) -> None:
        common: Any = {
            "workflow_execution_id": self.state.children[position].child_workflow_id,
            "kind": "child",
            "horizon": 1,
        }
        ends = (
            WorkflowCompleted(**common, status=WorkflowStatus.COMPLETED, output=f"child {position}"),
            WorkflowFailed(**common, status=WorkflowStatus.FAILED, error=_ERROR, failure_type="ERROR"),
            WorkflowCancelled(**common, status=WorkflowStatus.CANCELLED),
        )
        draft = self._draft()
        if self._dice.roll(4) == 1:
            child.started(draft, position)
        else:
            child.ended(draft, position, ends[self._dice.roll(3)])
        self._commit(draft)

    def _settle_promise(self, position: int) -> None:
        timeout_at_ms, fate = self.state.promises[position].timeout_at_ms, self._dice.roll(3)
        if fate == 2 and timeout_at_ms is not None:
            self._now_ms = max(self._now_ms, timeout_at_ms)
        draft = self._draft()
        if fate == 0:
            promise.resolve(draft, position, f"promise {position}")
        elif fate == 1 or timeout_at_ms is None:
            promise.reject(draft, position, _ERROR)
        else:
            promise.time_out(draft, position)
        self._commit(draft)

    def _fire(self, position: int) -> None:
        self._now_ms = max(self._now_ms, self.state.timers[position].fire_at_ms)
        draft = self._draft()
        assert timer.fire(draft, position)
        self._commit(draft)

    def _signal(self, name: str) -> None:
        draft = self._draft()
        draft.emit(SignalReceived(name=name, value=f"signal {draft.first_sequence}"))
        self._commit(draft)

    def _cancel(self) -> None:
        draft = self._draft()
        draft.emit(CancellationRequested(reason="enough", cascade=True))
        for position in sorted(draft.state.children):
            child.request_cancel(draft, position)
        self._commit(draft)

    def _forget(self) -> None:
        """The process ends: its code is dropped from memory."""
        if self._warm is not None:
            before = self._warm.traces()
            self._warm.drop()
            assert self._warm.traces() == before, "the code saw that it was dropped"
            self._warm = None

    def _meanwhile(self) -> None:
        """Things happen between what a turn does."""
        while not self.state.closed and self._dice.roll(4) == 1:
            choices = self._outside()[:-1]
            choices[self._dice.roll(len(choices))]()

    # --- turns --------------------------------------------------------------------------------

    def _turn(self) -> None:
        """What `service.turn` does."""
        driver = self._open()
        self._deliver(driver)
        while pending := driver.pending_operations():
            if not self._flush(driver, []):
                break
            self._meanwhile()
            finished = [pending[self._dice.roll(len(pending))]]
            if not self._flush(driver, finished):
                break
            self._deliver(driver)
        self._meanwhile()
        if not driver.pending_operations() and not self._is_superseded(driver):
            draft = self._draft()
            decide.resume(draft, "w")
            self._issue(draft, driver)
            decide.close(draft, driver.outcome(), driver.delivered_to, "w")
            self._commit(draft)
        self._warm = driver
        if self.state.closed or driver.pending_operations() or not self._is_warm or self._dice.roll(6) == 1:
            self._forget()

    def _open(self) -> Watched:
        if self._warm is not None:
            return self._warm
        self._ahead = list(self.log)
        program = AuthorProgram(self.steps, is_old=self.is_old)
        program.fails = lambda: self._dice.roll(3) == 1
        return Watched(program)

    def _deliver(self, driver: Watched) -> None:
        seen_before = self.state.horizon
        driver.foresee(self._ahead)
        ahead, self._ahead = self._ahead, []
        for event in ahead:
            driver.deliver(event, replaying=event.sequence <= seen_before)
            standing = driver.standing()
            assert self.standings.setdefault(event.sequence, standing) == standing, "replay went another way"

    def _is_superseded(self, driver: Driver) -> bool:
        return decide.is_superseded(self.state, driver.delivered_to)

    def _issue(self, draft: Draft, driver: Driver) -> None:
        data = [event.data for event in self._ahead]
        recorded = {position_of(one) for one in data if isinstance(one, RecordedCommand)}
        marked = {marker_of(event) for event in self._ahead}
        decide.mark(draft, [patch for patch in driver.unrecorded_patches() if patch not in marked])
        missing = [command for command in driver.unrecorded() if command.position not in recorded]
        decide.issue(draft, missing, driver.delivered_to)

    def _flush(self, driver: Driver, finished: list[Operation]) -> bool:
        """Append what has been asked for, and results; false where the turn is to be dropped."""
        if self._is_superseded(driver):
            return False
        data = [event.data for event in self._ahead]
        known = {one.index for one in data if isinstance(one, OperationCompleted | OperationFailed)}
        draft = self._draft()
        decide.resume(draft, "w")
        resumed = len(draft.events)
        self._issue(draft, driver)
        for operation in finished:
            if operation.index not in known:
                issued_at = None if operation.issued_at == driver.delivered_to else operation.issued_at
                decide.record_operation(
                    draft, operation.index, operation.name, _executed(operation), issued_at=issued_at
                )
        if len(draft.events) > resumed:
            self._commit(draft)
        return True


def _executed(operation: Operation) -> Any:
    try:
        return operation.function()
    except Exception as failure:
        return error_info(failure)
