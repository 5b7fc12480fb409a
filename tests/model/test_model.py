"""The executable model: random programs, crashes, duplicates, delays and losses against the real use cases.

`FLOWSTRAND_MODEL_SEEDS` is how many seeds are tried; a failing one is repeated with `live(seed)` alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from flowstrand.engine.decide import cancel as decide_cancel
from flowstrand.engine.effects import ArmLease, ArmPromise, Effect, open_effects
from flowstrand.engine.events import (
    CancellationRequested,
    ChildCancellationRequested,
    TaskFailed,
    WorkflowCancelled,
    WorkflowFailed,
)
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import is_standalone_task
from flowstrand.engine.replay import waits
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.state import ExecutionState, OpenTask
from flowstrand.errors import Conflict
from flowstrand.log.port import AppendConflict, Commit
from flowstrand.log.rows import RowLog
from flowstrand.queues.messages import Due
from flowstrand.service import append, cancel, dispatch, safety, strand, sweep, wakes
from tests.model import programs
from tests.model.checks import check, logs
from tests.model.dice import Climate
from tests.model.violation import Violation
from tests.model.world import World

SEEDS = int(os.environ.get("FLOWSTRAND_MODEL_SEEDS", "300"))
CHUNK = 50
MUTANT_SEEDS = 800

Fault = Callable[[], AbstractContextManager[object]]


def live(seed: int, world_of: Callable[[int], World] = World) -> World:
    """A whole life of one world: to rest, then a sweep, then the end; checked wherever it rests.

    Raises:
        Violation: a law does not hold.
    """
    world = world_of(seed)
    try:
        world.drive()
        check(world)  # also where all queues were lost: whoever holds them next has swept when it began
        world.sweep()
        check(world)
    except Violation as violation:
        raise Violation(f"seed {seed}: {violation}") from violation
    finally:
        world.end()
    return world


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_world_comes_to_rest_and_every_log_obeys_the_laws(first: int) -> None:
    for seed in range(first, min(first + CHUNK, SEEDS)):
        assert live(seed).started


@pytest.mark.parametrize("seed", range(0, 60, 6))
def test_the_same_seed_gives_the_same_world(seed: int) -> None:
    one, other = live(seed), live(seed)
    assert one.trace == other.trace
    assert one.disk.order == other.disk.order


def test_the_seeds_meet_everything_that_can_go_wrong() -> None:
    worlds = [live(seed) for seed in range(150)]
    traces = "\n".join(line for world in worlds for line in world.trace)
    for what in ("crash of", "failure in", "in memory is lost", "put not done", "put done", "send done"):
        assert what in traces
    partitions = " ".join(partition for world in worlds for partition in world.disk.items)
    for what in ("inbox#", "turn-lease#", "heartbeat#", "rearmed#"):
        assert what in partitions
    met = {
        event.data.error.type
        for world in worlds
        for events in logs(world).values()
        for event in events
        if isinstance(event.data, TaskFailed | WorkflowFailed)
    }
    assert met >= {
        "LeaseExpired",
        "DeadlineExceeded",
        "StartToCloseTimeout",
        "HeartbeatTimeout",
        "WorkflowTimeout",
    }
    assert any(world.disk.bodies for world in worlds)
    assert any(commit.checkpoint for world in worlds for commit in world.disk.order)
    assert any(world.has_branches for world in worlds)
    assert any(world.clients.cancelled for world in worlds)
    assert any(world.clients.settled for world in worlds)
    assert any(world.alone.cancelled for world in worlds)
    assert any(world.clients.retried for world in worlds)
    alone = {
        events[-1].type
        for world in worlds
        for id, events in logs(world).items()
        if is_standalone_task(id) and any(isinstance(event.data, TaskFailed) for event in events)
    }
    assert alone >= {"TASK_COMPLETED", "TASK_FAILED"}
    events = [event for world in worlds for log in logs(world).values() for event in log]
    types = {event.type for event in events}
    assert types >= {
        "RETRY_REQUESTED",
        "CHILD_WORKFLOW_CANCELLATION_REQUESTED",
        "PROMISE_TIMED_OUT",
        "PROMISE_REJECTED",
    }
    ends = [event.data for event in events if isinstance(event.data, WorkflowCancelled)]
    assert {end.worker_id is None for end in ends} == {True, False}
    assert any(event.data.force for event in events if isinstance(event.data, ChildCancellationRequested))


def test_warm_and_cold_worlds_record_the_same() -> None:
    """Without concurrency and faults, what is kept in memory must not show in the log (law 5)."""
    calm = {"processes": 1, "jobs": 1, "crashes": 0, "failures": 0, "switch": 0.0, "repeat": 0.0, "hurry": 0.0}
    for seed in range(40):
        climate = replace(Climate.drawn(World(seed).random), forgets=0.0, **calm)  # type: ignore[arg-type]
        worlds = [live(seed, partial(World, climate=replace(climate, warm=warm))) for warm in (0, 256)]
        stored = [[(c.sequence, c.events) for c in world.disk.order] for world in worlds]
        assert stored[0] == stored[1]


# --- what the model catches -----------------------------------------------------------------------


def _only_the_newest_effects() -> AbstractContextManager[object]:
    """A dispatch that knows only the newest commit: what a crash left open before it is never repaired."""
    real = dispatch.dispatch

    def forgetful(services: Any, tip: append.Tip, since: int) -> None:
        real(services, tip, tip.state.sequence)

    return patch.object(wakes, "dispatch", forgetful)


def _acknowledged_first() -> AbstractContextManager[object]:
    """A message acknowledged before it is handled is lost with the process that had it."""

    def lose(world: World, envelope: Any) -> None:
        world.mail.control.remove(envelope)

    return patch.object(World, "delivered", lose)


def _no_safety_wake() -> AbstractContextManager[object]:
    """A handler that dies between append and send leaves nobody told."""
    return patch.object(safety, "on_commit", lambda services, commit: None)


def _no_sweep() -> AbstractContextManager[object]:
    """Queues in memory are never rebuilt."""
    return patch.object(sweep, "run", lambda services: 0)


def _never_superseded() -> AbstractContextManager[object]:
    """A duplicate turn goes on although its work is done."""
    return patch.object(strand, "is_superseded", lambda state, horizon: False)


def _everything_is_issued() -> AbstractContextManager[object]:
    """A turn emits what it issued, whoever has recorded it meanwhile."""

    def issued(self: strand.Strand) -> list[Any]:
        return self.driver.unrecorded()

    return patch.object(strand.Strand, "missing_commands", issued)


def _own_writes_are_conflicts() -> AbstractContextManager[object]:
    """A put whose reply was lost is taken for somebody else's."""

    def append_blindly(self: RowLog, commit: Commit) -> None:
        if self._rows.put(commit) is not None:
            raise AppendConflict("taken")

    return patch.object(RowLog, "append", append_blindly)


def _leases_never_end() -> AbstractContextManager[object]:
    """Nobody notices that a worker fell silent."""

    def without_leases(state: ExecutionState, since: int = 1) -> list[Effect]:
        return [effect for effect in open_effects(state, since) if not isinstance(effect, ArmLease)]

    return patch.object(dispatch, "open_effects", without_leases)


def _armed_as_if_again() -> AbstractContextManager[object]:
    """What a wake arms counts as sent again: it ends where another is noted, which may be lost."""
    real = dispatch._due

    def again(*args: Any) -> Due:
        return replace(real(*args), rearmed_for_ms=1)

    return patch.object(dispatch, "_due", again)


def _any_attempt_may_report() -> AbstractContextManager[object]:
    """A report is taken from whichever attempt, as long as the task is open."""
    from flowstrand.engine.decide import task

    def unfenced(draft: Draft, position: int, attempt: int) -> OpenTask:
        return draft.state.tasks[position]

    return patch.object(task, "running", unfenced)


def _select_by_argument_order() -> AbstractContextManager[object]:
    """The winner is the first of the arguments that has settled, not the earliest in the log."""
    real = waits.any_of

    async def first(futures: Sequence[Future]) -> Future:
        await real(futures)
        return next(future for future in futures if future.is_done)

    return patch.object(programs, "any_of", first)


def _parents_are_not_told() -> AbstractContextManager[object]:
    """A child's end stays its own secret."""
    return patch.object(dispatch, "_tell_parent", lambda services, tip, parent: None)


def _children_are_not_told() -> AbstractContextManager[object]:
    """A child that is to end with its parent never hears of it."""
    return patch.object(cancel, "tell_child", lambda services, tip, child: None)


def _promises_never_time_out() -> AbstractContextManager[object]:
    """Nobody notices that nobody settles a promise."""

    def without_promises(state: ExecutionState, since: int = 1) -> list[Effect]:
        return [effect for effect in open_effects(state, since) if not isinstance(effect, ArmPromise)]

    return patch.object(dispatch, "open_effects", without_promises)


def _every_request_is_recorded() -> AbstractContextManager[object]:
    """A cancel that is asked for again is recorded again."""

    def again(draft: Draft, *, request_id: str | None = None, **_: object) -> None:
        if draft.state.closed:
            raise Conflict("ended", code="EXECUTION_CLOSED")
        draft.emit(CancellationRequested(request_id=request_id))

    return patch.object(decide_cancel, "cancel", again)


@pytest.mark.parametrize(
    "fault",
    [
        _children_are_not_told,
        _promises_never_time_out,
        _every_request_is_recorded,
        _only_the_newest_effects,
        _acknowledged_first,
        _no_safety_wake,
        _no_sweep,
        _never_superseded,
        _everything_is_issued,
        _own_writes_are_conflicts,
        _leases_never_end,
        _any_attempt_may_report,
        _select_by_argument_order,
        _parents_are_not_told,
    ],
)
def test_the_model_catches(fault: Fault) -> None:
    with fault(), pytest.raises(Violation):
        _live_all(MUTANT_SEEDS)


def test_the_model_catches_what_only_a_loss_brings_to_light() -> None:
    with _armed_as_if_again(), pytest.raises(Violation):
        _live_all(MUTANT_SEEDS, _forgetful)


def _live_all(seeds: int, world_of: Callable[[int], World] = World) -> None:
    for seed in range(seeds):
        live(seed, world_of)


def _forgetful(seed: int) -> World:
    """A world that will lose everything in memory, at a moment when much depends on it."""
    return World(seed, replace(Climate.drawn(Random(seed)), forgets=0.0005))
