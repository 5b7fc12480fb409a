"""How executions end: compensation, clean-up, continuation, and changes of code."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand import RetryPolicy, WorkflowContext, workflow
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.outcome import Cancelled, Continued
from flowstrand.errors import DeterminismViolation, OperationFailed
from tests.unit.authored import authored
from tests.unit.engine.played import (
    Played,
    cancellation_requested,
    completed,
    failed,
    fired,
    operation_completed,
    operation_failed,
    signal,
)


def asked_kinds(play: Played) -> list[str]:
    """Kinds of the tasks that were asked for."""
    return [getattr(command, "kind", "") for command in play.asked]


async def saga(ctx: WorkflowContext) -> str:
    """Two steps, each with its compensation, and one more."""
    for step in ("flight", "hotel"):
        await ctx.schedule(step)
        ctx.compensate(ctx.schedule, f"cancel-{step}")
    await ctx.schedule("car")
    return "booked"


def test_compensations_run_newest_first_one_at_a_time_before_the_failure_ends_the_execution() -> None:
    play = authored(saga)
    play.deliver(completed(1), completed(2), failed(3))
    assert asked_kinds(play) == ["flight", "hotel", "car", "cancel-hotel"]
    play.deliver(completed(4))
    assert asked_kinds(play)[4:] == ["cancel-flight"]
    play.deliver(completed(5))
    assert play.failure.error.type == "TaskFailed"


def test_compensations_run_where_the_execution_is_cancelled_and_are_shielded() -> None:
    play = authored(saga)
    play.deliver(completed(1), cancellation_requested("enough"))
    assert asked_kinds(play) == ["flight", "hotel", "cancel-flight"]
    play.deliver(completed(3))
    assert play.outcome == Cancelled("enough")


def test_what_succeeds_is_not_compensated() -> None:
    play = authored(saga)
    play.deliver(completed(1), completed(2), completed(3))
    assert play.output == "booked"


def test_a_compensation_that_fails_is_noted_and_the_others_run() -> None:
    play = authored(saga)
    play.deliver(completed(1), completed(2), failed(3), failed(4), completed(5))
    assert play.failure.error.type == "TaskFailed"
    assert "and then: TaskFailed" in (play.failure.error.stack or "")


def test_closers_run_after_a_success() -> None:
    async def code(ctx: WorkflowContext) -> str:
        ctx.on_close(ctx.schedule, "report")
        return "done"

    play = authored(code)
    assert asked_kinds(play) == ["report"]
    play.deliver(completed(1))
    assert play.output == "done"


def test_a_closer_that_fails_after_a_success_fails_the_execution() -> None:
    async def code(ctx: WorkflowContext) -> str:
        ctx.on_close(ctx.schedule, "report")
        return "done"

    play = authored(code)
    play.deliver(failed(1))
    assert play.failure.error.type == "TaskFailed"


def test_neither_runs_where_the_code_is_dropped_from_memory() -> None:
    ran: list[str] = []

    async def code(ctx: WorkflowContext) -> None:
        ctx.on_close(ran.append, "closer")
        ctx.compensate(ran.append, "compensation")
        await ctx.schedule("task")

    authored(code).driver.drop()
    assert ran == []


def test_continuing_ends_the_code_and_takes_the_untaken_signals_along() -> None:
    async def code(ctx: WorkflowContext) -> None:
        try:
            await ctx.sleep(1)
            await ctx.continue_as_new()
        except BaseException:
            await ctx.schedule("never")

    play = authored(code)
    play.deliver(signal("go"), fired(1))
    assert play.outcome == Continued(None, (2,))
    assert asked_kinds(play) == [""]


def test_closers_run_before_a_continuation_and_compensations_do_not() -> None:
    async def code(ctx: WorkflowContext) -> None:
        ctx.on_close(ctx.schedule, "report")
        ctx.compensate(ctx.schedule, "undo")
        await ctx.continue_as_new()

    play = authored(code)
    assert asked_kinds(play) == ["report"]
    play.deliver(completed(1))
    assert isinstance(play.outcome, Continued)


# --- functions --------------------------------------------------------------------------------------


async def runs(ctx: WorkflowContext) -> Any:
    """A function that is tried twice, a minute apart."""
    try:
        return await ctx.run("look", lambda: 1, retry=RetryPolicy(max_attempts=2, initial=60, jitter=0))
    except OperationFailed as gave_up:
        return gave_up.error_type


def test_a_function_that_failed_is_tried_again_after_a_timer() -> None:
    play = authored(runs)
    play.deliver(operation_failed(1, "look"))
    assert play.groups == ["1"]
    play.deliver(fired(1), operation_completed(2, "look", 5))
    assert play.output == 5


def test_the_last_failure_of_a_function_is_raised() -> None:
    play = authored(runs)
    play.deliver(operation_failed(1, "look"), fired(1), operation_failed(2, "look"))
    assert play.output == "ValueError"


def test_a_cancellation_reaches_a_function_that_is_tried_again() -> None:
    play = authored(runs)
    play.deliver(operation_failed(1, "look"), cancellation_requested())
    assert play.outcome == Cancelled()


# --- patches ----------------------------------------------------------------------------------------


def test_a_deprecated_patch_refuses_what_began_before_it_whether_caught_or_not() -> None:
    async def old(ctx: WorkflowContext) -> None:
        await ctx.schedule("old")

    async def new(ctx: WorkflowContext) -> str:
        with pytest.raises(DeterminismViolation):
            ctx.deprecate_patch("p")
        return "swallowed"

    before = authored(old)
    before.record()
    after = Driver(workflow(name="authored")(new))
    after.foresee(before.log)
    after.deliver(before.log[0])
    outcome: Any = after.outcome()
    assert outcome.failure_type == "DETERMINISM_VIOLATION"
    assert "patch 'p'" in outcome.error.message
