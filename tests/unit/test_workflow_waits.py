"""What authors wait for from outside, and for how long: signals, promises, timeouts."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand import NotSerializable, RetryPolicy, WorkflowContext
from flowstrand.engine.events import PromiseRejected as Rejected
from flowstrand.engine.events import PromiseResolved, PromiseTimedOut
from flowstrand.engine.replay.commands import CancelTask, CancelTimer, CreatePromise, StartTimer
from flowstrand.engine.replay.outcome import Waiting
from flowstrand.errors import InvalidDefinition, PromiseRejected, PromiseTimeout, TimedOut
from tests.unit.authored import authored
from tests.unit.engine.played import (
    ERROR,
    EXECUTION,
    START_MS,
    Played,
    cancellation_requested,
    completed,
    fired,
    operation_completed,
    operation_failed,
    signal,
)

PROMISE: Any = {"promise_id": f"{EXECUTION}.p1", "position": 1, "name": "ok"}


def asked(play: Played, kind: type) -> list[Any]:
    """What of this kind the code has asked for."""
    return [command for command in play.asked if isinstance(command, kind)]


def waiting(play: Played) -> Waiting:
    """What the code waits for."""
    outcome = play.outcome
    assert isinstance(outcome, Waiting)
    return outcome


# --- signals ------------------------------------------------------------------------------------


def test_a_signals_value_is_read_as_the_type_that_is_asked_for() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        return type(await ctx.wait_for_signal("go", float)).__name__

    play = authored(code)
    play.deliver(signal("go", 1))
    assert play.output == "float"


def test_a_signal_that_does_not_fit_raises_and_is_taken_all_the_same() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(NotSerializable):
            await ctx.wait_for_signal("go", int)
        return await ctx.wait_for_signal("go", int)

    play = authored(code)
    play.deliver(signal("go", "text"), signal("go", 2))
    assert play.output == 2


def test_a_signal_in_time_cancels_the_timer() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        heard = await ctx.wait_for_signal("go", timeout=60)
        await ctx.schedule("later")
        return heard

    play = authored(code)
    assert play.asked == [StartTimer(position=1, fire_at_ms=START_MS + 61_000, is_timeout=True)]
    play.deliver(signal("go", 1))
    assert asked(play, CancelTimer) == [CancelTimer(position=2, target=1)]


def test_no_signal_in_time_raises() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(TimedOut, match="no signal 'go' came in time"):
            await ctx.wait_for_signal("go", timeout=60)
        return ctx.has_signal("go")

    play = authored(code)
    play.deliver(fired(1))
    assert play.output is False


def test_signals_that_have_come_can_be_counted_and_drained_without_waiting() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        await ctx.sleep(1)
        return [
            ctx.pending_signal_count("go"),
            ctx.drain_signals("go", int),
            ctx.has_signal("go"),
            ctx.drain_signals("go"),
        ]

    play = authored(code)
    play.deliver(signal("go", 1), signal("other"), signal("go", 2), fired(1))
    assert play.output == [2, [1, 2], False, []]


# --- promises -----------------------------------------------------------------------------------


def test_a_promise_is_asked_for_with_its_key_and_the_moment_of_its_timeout() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        await ctx.promise("ok", key="order-1", timeout=60)

    assert authored(code).asked == [
        CreatePromise(position=1, name="ok", key="order-1", timeout_at_ms=START_MS + 61_000)
    ]


def test_a_resolved_promise_gives_its_value_and_its_handle_the_id() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        handle = ctx.promise("ok", int)
        return [handle.id, await handle]

    play = authored(code)
    play.deliver(PromiseResolved(**PROMISE, value=3))
    assert play.output == [f"{EXECUTION}.p1", 3]


def test_a_rejected_promise_raises_what_it_was_rejected_with() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(PromiseRejected) as rejected:
            await ctx.promise("ok")
        return [rejected.value.kind, rejected.value.error_type, rejected.value.message]

    play = authored(code)
    play.deliver(Rejected(**PROMISE, error=ERROR))
    assert play.output == ["ok", "ValueError", "no"]


def test_a_promise_that_nobody_settled_in_time_raises() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(PromiseTimeout):
            await ctx.promise("ok", timeout=1)

    play = authored(code)
    play.deliver(PromiseTimedOut(**PROMISE))
    assert play.output is None


# --- with_timeout ---------------------------------------------------------------------------------


def test_what_comes_in_time_cancels_the_timer() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        value = await ctx.with_timeout(ctx.schedule("task"), 60)
        await ctx.schedule("later")
        return value

    play = authored(code)
    play.deliver(completed(1, "done"))
    assert asked(play, CancelTimer) == [CancelTimer(position=3, target=2)]


def test_a_task_that_is_out_of_time_is_asked_to_cancel() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(TimedOut, match="longer than 60 s"):
            await ctx.with_timeout(ctx.schedule("task"), 60)
        await ctx.schedule("later")

    play = authored(code)
    play.deliver(fired(2))
    assert asked(play, CancelTask) == [CancelTask(position=3, target=1)]


def test_a_coroutine_that_is_out_of_time_is_told_and_waited_for() -> None:
    async def steps(ctx: WorkflowContext) -> None:
        try:
            await ctx.schedule("task")
        except TimedOut:
            await ctx.schedule("clean")

    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(TimedOut):
            await ctx.with_timeout(steps(ctx), 60)
        return "after clean"

    play = authored(code)
    play.deliver(fired(1))
    assert play.groups == ["3"]
    play.deliver(completed(3))
    assert play.output == "after clean"


def test_a_negative_timeout_is_refused() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(InvalidDefinition):
            ctx.wait_for_signal("go", timeout=-1)

    assert authored(code).output is None


# --- shield ---------------------------------------------------------------------------------------


def test_a_shielded_handle_is_awaited_to_its_end_before_the_cancellation() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        value = await ctx.shield(ctx.schedule("task"))
        return [value, ctx.is_cancellation_requested]

    play = authored(code)
    play.deliver(cancellation_requested(), completed(1, "done"))
    assert play.output == ["done", True]


def test_a_shielded_function_that_is_tried_again_hears_of_no_cancellation() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        retry = RetryPolicy(max_attempts=2, initial=60, jitter=0)
        return await ctx.shield(ctx.run("pay", lambda: "paid", retry=retry))

    play = authored(code)
    play.deliver(operation_failed(1, "pay"), cancellation_requested())
    assert [group.shielded for group in waiting(play).groups] == [True]
    play.deliver(fired(1), operation_completed(2, "pay", "paid"))
    assert play.output == "paid"


def test_a_shielded_wait_with_a_timeout_hears_of_no_cancellation() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        signal = ctx.wait_for_signal("go", timeout=60)
        await ctx.sleep(1)
        return await ctx.shield(signal)

    play = authored(code)
    play.deliver(fired(1), cancellation_requested(), signal("go", 1))
    assert play.output == 1


def test_a_shielded_coroutine_hears_of_no_cancellation() -> None:
    async def steps(ctx: WorkflowContext) -> list[Any]:
        return [await ctx.schedule("a"), await ctx.schedule("b")]

    async def code(ctx: WorkflowContext) -> Any:
        return await ctx.shield(steps(ctx))

    play = authored(code)
    play.deliver(cancellation_requested(), completed(1, "A"), completed(2, "B"))
    assert play.output == ["A", "B"]
