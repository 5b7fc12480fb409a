"""Replay, of whatever log and from whatever prefix (laws 5 and 6).

Logs are those of the model's worlds: random programs, run by the real use cases among crashes, duplicates and delays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowstrand.engine.events import (
    Event,
    OperationCompleted,
    OperationFailed,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowSuspended,
)
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.matching import RecordedCommand, position_of
from flowstrand.engine.replay.outcome import Cancelled, Continued, Outcome, Raised, Returned, Waiting
from flowstrand.engine.replay.program import PLAIN_WIRE, Program
from flowstrand.engine.replay.waits import all_of
from flowstrand.errors import AuthorError
from tests.model.checks import logs
from tests.model.programs import Broken
from tests.model.world import World

EXAMPLES = settings().max_examples * 2 // 5
"""Of worlds, each of which takes as long as many examples elsewhere."""

seeds = st.integers(1_000_000, 2_000_000)


class Lived:
    """One log of a world, and the program it belongs to."""

    def __init__(self, program: Program, events: list[Event]) -> None:
        self.program = program
        self.events = events

    @contextmanager
    def cold(self, length: int) -> Iterator[Driver]:
        """The code, replayed from the first `length` events; dropped afterwards."""
        driver = Driver(self.program)
        try:
            for event in self.events[:length]:
                driver.deliver(event, replaying=True)
            yield driver
        finally:
            driver.drop()


def lived(seed: int) -> Iterator[Lived]:
    """Every log of a world that has come to rest, but for those of standalone tasks, behind which there is no code."""
    world = World(seed)
    world.drive()
    world.sweep()
    world.end()
    assert world.leaks == []
    for events in logs(world).values():
        started = events[0].data
        if not isinstance(started, WorkflowStarted):
            continue
        program = world.programs.program(started.kind)
        assert program
        yield Lived(program, events)


def standing(driver: Driver) -> Any:
    """How the code stands: what it asks for, which functions it waits for, and where it has got to."""
    pending = [(operation.index, operation.name) for operation in driver.pending_operations()]
    if pending:
        return driver.unrecorded(), pending
    outcome = driver.outcome()
    if isinstance(outcome, Raised):  # a stack may differ by the lines that led to the delivery
        return driver.unrecorded(), outcome.error.type, outcome.error.message, outcome.failure_type
    return driver.unrecorded(), outcome


@given(seeds)
@settings(max_examples=EXAMPLES)
def test_from_every_prefix_cold_code_stands_where_warm_code_stands(seed: int) -> None:
    for log in lived(seed):
        with log.cold(0) as warm:
            for length, event in enumerate(log.events, start=1):
                warm.deliver(event)
                with log.cold(length) as cold:
                    assert standing(cold) == standing(warm)


@given(seeds)
@settings(max_examples=EXAMPLES)
def test_from_every_horizon_replay_gives_the_commands_and_the_outcome_that_the_turn_recorded(seed: int) -> None:
    for log in lived(seed):
        for event in log.events:
            closing = event.data
            if not isinstance(closing, WorkflowSuspended | WorkflowCompleted | WorkflowFailed | WorkflowCancelled):
                continue
            if closing.worker_id is not None:  # else an end that no turn has made
                with log.cold(closing.horizon) as driver:
                    assert_outcome(driver.outcome(), closing)
                    assert_recorded(log, driver, up_to=event.sequence)


def assert_outcome(
    outcome: Outcome, closing: WorkflowSuspended | WorkflowCompleted | WorkflowFailed | WorkflowCancelled
) -> None:
    """The turn closed with what the code came to."""
    match outcome, closing:
        case Waiting(groups=groups), WorkflowSuspended(waits=waits):
            assert groups == waits
        case Returned(output=output), WorkflowCompleted(output=recorded, continued_as=None):
            assert output == recorded
        case Continued(input=input, untaken=untaken), WorkflowCompleted(continued_as=str()) as continued:
            assert input == continued.continued_input
            assert set(untaken) <= set(continued.carried_signals or ())
        case Cancelled(reason=reason), WorkflowCancelled(reason=recorded):
            assert reason == recorded
        case Raised(error=error), WorkflowFailed() as failed:
            assert (error.type, error.message) == (failed.error.type, failed.error.message)
        case _:
            raise AssertionError(f"{outcome} is not {closing}")


def assert_recorded(log: Lived, driver: Driver, *, up_to: int) -> None:
    """All that the code asks for is in the log by `up_to`; of cancels, those that found something to cancel."""
    before = [event.data for event in log.events[:up_to]]
    recorded = {position_of(data) for data in before if isinstance(data, RecordedCommand)}
    missing = [command for command in driver.unrecorded() if command.position not in recorded]
    with log.cold(up_to) as behind:
        assert [command for command in missing if command in behind.unrecorded()] == []
    operations = {data.index for data in before if isinstance(data, OperationCompleted | OperationFailed)}
    assert {operation.index for operation in driver.pending_operations()} <= operations


@given(seeds, st.data())
@settings(max_examples=EXAMPLES)
def test_dropping_the_code_anywhere_asks_for_nothing_and_shows_nothing(seed: int, data: st.DataObject) -> None:
    for log in lived(seed):
        with log.cold(data.draw(st.integers(1, len(log.events)))) as driver:
            before = standing(driver)
            driver.drop()
            assert standing(driver) == before


# --- suspension cannot be seen ---------------------------------------------------------------------


class Watched:
    """A program of `inner` whose every wait, of whichever branch, sits in `try/except BaseException/finally`."""

    wire = PLAIN_WIRE

    def __init__(self, inner: Program, early: list[str]) -> None:
        self._inner = inner
        self._early = early

    @property
    def kind(self) -> str:
        return self._inner.kind

    def begin(self, driver: Driver, input: Any) -> Any:
        return self._watch(driver, self._inner.begin(driver, input))

    async def _watch(self, driver: Driver, code: Any) -> Any:
        ended = False
        try:
            output = await code
            ended = True
            return output
        except BaseException as caught:
            ended = isinstance(caught, AuthorError | Broken)
            if not ended and not driver.is_dead:
                self._early.append(f"caught {caught!r}")
            raise
        finally:
            if not ended and not driver.is_dead:
                self._early.append("finally")
                await all_of([driver.start_timer(0)])


@given(seeds)
@settings(max_examples=EXAMPLES)
def test_no_handler_around_the_code_runs_before_the_code_has_ended(seed: int) -> None:
    early: list[str] = []
    for log in lived(seed):
        watched = Lived(Watched(log.program, early), log.events)
        for length in range(1, len(log.events) + 1):
            with watched.cold(length) as driver, log.cold(length) as plain:
                assert standing(driver) == standing(plain)
    assert early == []
