"""The driver: delivery is all that resumes code (law 5), and suspension is not an exception (law 6)."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any

import pytest

from flowstrand.engine.events import Event, TaskStatus
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.replay.commands import CancelTask, CancelTimer, ScheduleTask, StartChild, StartTimer
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.ledger import MAX_OPEN_OPERATIONS
from flowstrand.engine.replay.waits import all_of, any_of
from flowstrand.errors import (
    ChildWorkflowFailed,
    LogCorrupted,
    OperationFailed,
    TaskCancelled,
    TaskFailed,
    TimerCancelled,
    TooManyOpenOperations,
)
from tests.unit.engine.played import (
    START_MS,
    Code,
    Played,
    child_completed,
    child_failed,
    completed,
    created,
    failed,
    fired,
    operation_completed,
    operation_failed,
    schedule,
    started,
    suspended,
    task_cancelled,
    timer_cancelled,
)


def positions(play: Played) -> list[int]:
    return [command.position for command in play.asked]


# --- asking and settling ---------------------------------------------------------------------------


def test_code_runs_to_its_first_wait_when_the_first_event_is_delivered() -> None:
    async def code(driver: Driver) -> Any:
        return await schedule(driver)

    play = Played(code)
    (command,) = play.asked
    assert isinstance(command, ScheduleTask)
    assert (command.position, command.kind) == (1, "task")
    assert play.groups == ["1"]
    assert (play.driver.execution_id, play.driver.queue) == ("01X", "default")


def test_commands_take_dense_positions_in_the_order_of_asking() -> None:
    async def code(driver: Driver) -> None:
        first = schedule(driver)
        timer = driver.start_timer(START_MS)
        driver.cancel(first)
        driver.cancel(timer)
        await driver.start_child("child", 1, name="child", queue="default")

    play = Played(code)
    assert [type(command) for command in play.asked] == [
        ScheduleTask, StartTimer, CancelTask, CancelTimer, StartChild,
    ]  # fmt: skip
    assert positions(play) == [1, 2, 3, 4, 5]


def test_what_the_log_records_is_no_longer_asked_for() -> None:
    async def code(driver: Driver) -> None:
        await all_of([schedule(driver), schedule(driver)])

    play = Played(code)
    play.deliver(created(1))
    assert positions(play) == [2]


def test_awaiting_returns_what_the_log_records() -> None:
    async def code(driver: Driver) -> Any:
        timer = driver.start_timer(START_MS)
        child = driver.start_child("child", None, name="child", queue="default")
        return [await schedule(driver), await timer, await child]

    play = Played(code)
    play.record()
    play.deliver(child_completed(2, {"n": 2}), fired(1), completed(3, "done"))
    assert play.output == ["done", None, {"n": 2}]


@pytest.mark.parametrize(
    ("ask", "event", "error"),
    [
        (schedule, failed(1), TaskFailed),
        (schedule, task_cancelled(1), TaskCancelled),
        (lambda driver: driver.start_timer(START_MS), timer_cancelled(1), TimerCancelled),
        (
            lambda driver: driver.start_child("child", None, name="child", queue="default"),
            child_failed(1, "CANCELLED"),
            ChildWorkflowFailed,
        ),
    ],
)
def test_awaiting_raises_the_failure_that_the_log_records(
    ask: Callable[[Driver], Future], event: Any, error: type[Exception]
) -> None:
    caught: list[BaseException] = []

    async def code(driver: Driver) -> str:
        handle = ask(driver)
        for _ in range(2):  # each time from its own place in the code
            try:
                await handle
            except error as failure:
                caught.append(failure)
        return "went on"

    play = Played(code)
    play.record()
    play.deliver(event)
    assert play.output == "went on"
    assert len(caught) == 2
    assert getattr(caught[0], "failure_type", "CANCELLED") == "CANCELLED"


def test_a_failed_attempt_that_will_be_retried_settles_nothing() -> None:
    async def code(driver: Driver) -> Any:
        return await schedule(driver)

    play = Played(code)
    play.record()
    play.deliver(failed(1, TaskStatus.PENDING))
    assert play.groups == ["1"]


def test_an_event_out_of_order_is_refused() -> None:
    async def code(driver: Driver) -> None:
        await schedule(driver)

    play = Played(code)
    with pytest.raises(LogCorrupted, match="cannot follow"):
        play.driver.deliver(Event(sequence=3, timestamp_ms=START_MS, data=completed(1)))


def test_the_clock_is_the_timestamp_of_the_event_being_delivered() -> None:
    async def code(driver: Driver) -> list[int]:
        times = [driver.now_ms]
        await schedule(driver)
        return [*times, driver.now_ms]

    play = Played(code)
    play.record()
    play.deliver(completed(1))
    assert play.output == [START_MS + 1_000, START_MS + 4_000]


# --- waiting ---------------------------------------------------------------------------------------


def test_a_gather_waits_for_all_in_one_group_and_is_released_by_the_last() -> None:
    async def code(driver: Driver) -> list[Any]:
        handles = [schedule(driver) for _ in range(3)]
        await all_of(handles)
        return [await handle for handle in handles]

    play = Played(code)
    assert play.groups == ["1-3"]
    play.record()
    play.deliver(completed(3, "c"), completed(1, "a"))
    assert play.groups == ["2"]
    play.deliver(completed(2, "b"))
    assert play.output == ["a", "b", "c"]


def test_a_gather_is_released_by_the_first_failure() -> None:
    async def code(driver: Driver) -> list[bool]:
        handles = [schedule(driver) for _ in range(3)]
        await all_of(handles)
        return [handle.is_done for handle in handles]

    play = Played(code)
    play.record()
    play.deliver(completed(2), failed(3))
    assert play.output == [False, True, True]


def test_a_settled_gather_waits_for_failures_too() -> None:
    async def code(driver: Driver) -> str:
        await all_of([schedule(driver), schedule(driver)], settled=True)
        return "all settled"

    play = Played(code)
    assert play.groups == ["1-2!"]
    play.record()
    play.deliver(failed(1))
    assert play.groups == ["2!"]
    play.deliver(failed(2))
    assert play.output == "all settled"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_winner_of_a_select_is_the_earliest_in_the_log_whatever_the_order_of_arguments(
    order: tuple[int, int],
) -> None:
    async def code(driver: Driver) -> Any:
        handles = [schedule(driver), schedule(driver)]
        await schedule(driver)  # both have settled by the time that this has
        return await (await any_of([handles[index] for index in order]))

    play = Played(code)
    play.record()
    play.deliver(completed(2, "second, but first"), completed(1, "first, but second"), completed(3))
    assert play.output == "second, but first"


def test_a_select_waits_for_each_of_its_handles_alone() -> None:
    async def code(driver: Driver) -> int:
        handles = [schedule(driver), schedule(driver), driver.start_timer(START_MS)]
        return handles.index(await any_of(handles))

    play = Played(code)
    assert play.groups == ["1", "2", "3"]
    play.record()
    play.deliver(fired(3))
    assert play.output == 2


def test_a_select_of_one_handle_twice_waits_for_it() -> None:
    async def code(driver: Driver) -> Any:
        handle = schedule(driver)
        return await (await any_of([handle, handle]))

    play = Played(code)
    assert play.groups == ["1"]
    play.record()
    play.deliver(completed(1, "once"))
    assert play.output == "once"


def test_a_gather_of_one_handle_twice_waits_for_it_once() -> None:
    async def code(driver: Driver) -> str:
        handle = schedule(driver)
        await all_of([handle, handle])
        return "done"

    play = Played(code)
    play.record()
    play.deliver(completed(1))
    assert play.output == "done"


def test_a_select_of_nothing_is_refused() -> None:
    async def code(driver: Driver) -> None:
        await any_of([])

    assert Played(code).failure.error.type == "ValueError"


def test_waiting_for_what_can_never_happen_fails_the_execution() -> None:
    async def code(driver: Driver) -> None:
        branches: list[Future] = []

        async def wait_for(other: int) -> None:
            await branches[other]

        branches.append(driver.spawn(wait_for(1), "a"))
        branches.append(driver.spawn(wait_for(0), "b"))
        await branches[0]

    assert "nothing that can ever happen" in Played(code).failure.error.message


# --- branches --------------------------------------------------------------------------------------


def test_branches_wait_side_by_side_and_go_on_in_log_order() -> None:
    async def code(driver: Driver) -> list[str]:
        seen: list[str] = []

        async def branch(name: str) -> str:
            await schedule(driver)
            seen.append(name)
            return name

        branches = [driver.spawn(branch(name), "branch") for name in "ab"]
        await all_of(branches)
        return seen

    play = Played(code)
    assert play.groups == ["1", "2"]
    play.record()
    play.deliver(completed(2))
    assert play.groups == ["1"]
    play.deliver(completed(1))
    assert play.output == ["b", "a"]


def test_a_failing_branch_raises_where_it_is_awaited() -> None:
    async def code(driver: Driver) -> str:
        async def branch() -> None:
            raise ValueError("in a branch")

        handle = driver.spawn(branch(), "branch")
        try:
            await handle
        except ValueError as failure:
            return str(failure)
        return "nothing was raised"

    assert Played(code).output == "in a branch"


def test_branches_still_waiting_when_the_code_returns_are_unwound() -> None:
    unwound: list[bool] = []

    async def code(driver: Driver) -> str:
        async def branch() -> None:
            try:
                await schedule(driver, "never")
            finally:
                unwound.append(driver.is_dead)

        driver.spawn(branch(), "branch")
        return await schedule(driver)  # type: ignore[return-value]  # JSON

    play = Played(code)
    play.record()
    play.deliver(completed(1, "done"))
    assert play.output == "done"
    assert unwound == [True]


def test_an_event_for_a_branch_that_was_unwound_while_it_waited_again_is_delivered_to_nobody() -> None:
    async def code(driver: Driver) -> str:
        handle = schedule(driver, "slow")

        async def branch() -> None:
            try:
                await driver.start_timer(START_MS)
            finally:
                await handle

        driver.spawn(branch(), "branch")
        await schedule(driver, "quick")
        return "done"

    play = Played(code)
    play.record()
    play.deliver(completed(2), completed(1))
    assert play.output == "done"


# --- ctx.run ---------------------------------------------------------------------------------------


def test_an_operation_is_pending_until_its_result_is_delivered() -> None:
    async def code(driver: Driver) -> Any:
        return await driver.run("price", lambda: 5)

    play = Played(code)
    (operation,) = play.driver.pending_operations()
    assert (operation.index, operation.name, operation.function()) == (1, "price", 5)
    play.deliver(operation_completed(1, "price", 7))
    assert play.output == 7
    assert play.driver.pending_operations() == []


def test_a_failed_operation_raises_in_the_code() -> None:
    async def code(driver: Driver) -> str:
        try:
            await driver.run("price", lambda: None)
        except OperationFailed as failure:
            return f"{failure.kind}: {failure.error_type}"
        return "nothing was raised"

    play = Played(code)
    play.deliver(operation_failed(1, "price"))
    assert play.output == "price: ValueError"


def test_code_that_has_ended_has_no_operation_pending() -> None:
    async def code(driver: Driver) -> str:
        driver.run("price", lambda: 5)
        return "done"

    assert Played(code).driver.pending_operations() == []


# --- cancelling ------------------------------------------------------------------------------------


def test_cancelling_settles_nothing_the_event_does() -> None:
    async def code(driver: Driver) -> str:
        handle = schedule(driver)
        driver.cancel(handle)
        assert not handle.is_done
        try:
            await handle
        except TaskCancelled:
            return "cancelled"
        return "completed"

    play = Played(code)
    play.record()
    assert play.output == "cancelled"


def test_a_cancel_of_what_has_settled_asks_for_nothing() -> None:
    async def code(driver: Driver) -> Any:
        handle = schedule(driver)
        await schedule(driver)
        driver.cancel(handle)
        return await handle

    play = Played(code)
    play.record()
    play.deliver(completed(1, "in time"), completed(2))
    assert play.asked == []
    assert play.output == "in time"


def test_only_tasks_timers_and_children_can_be_cancelled() -> None:
    async def code(driver: Driver) -> None:
        driver.cancel(driver.start_child("child", None, name="child", queue="default"))
        driver.cancel(driver.create_promise("approval"))

    assert Played(code).failure.error.type == "ValueError"


# --- limits ----------------------------------------------------------------------------------------


def test_the_operation_beyond_the_limit_is_refused_and_a_settled_one_makes_room() -> None:
    async def code(driver: Driver) -> str:
        handles = [schedule(driver) for _ in range(MAX_OPEN_OPERATIONS)]
        with pytest.raises(TooManyOpenOperations):
            schedule(driver)
        await handles[0]
        schedule(driver)
        return "room"

    play = Played(code)
    play.record()
    play.deliver(completed(1))
    assert play.output == "room"
    assert positions(play) == [MAX_OPEN_OPERATIONS + 1]


def test_what_is_open_can_be_cancelled_at_the_limit() -> None:
    async def code(driver: Driver) -> None:
        handles = [schedule(driver) for _ in range(MAX_OPEN_OPERATIONS)]
        driver.cancel(handles[0])
        await handles[0]

    play = Played(code)
    assert play.asked[-1] == CancelTask(position=MAX_OPEN_OPERATIONS + 1, target=1)


def test_going_over_the_limit_fails_the_execution_by_its_own_name() -> None:
    async def code(driver: Driver) -> None:
        while True:
            schedule(driver)

    assert Played(code).failure.failure_type == FailureType.LIMIT_EXCEEDED


# --- suspension is not an exception ----------------------------------------------------------------


def test_no_handler_runs_before_its_event_is_delivered() -> None:
    seen: list[str] = []

    async def code(driver: Driver) -> str:
        try:
            await schedule(driver)
        except BaseException as caught:
            seen.append(type(caught).__name__)
            schedule(driver, "in the handler")
        finally:
            seen.append("finally")
            schedule(driver, "at last")
        return "returned"

    play = Played(code)
    assert seen == []
    assert positions(play) == [1]
    play.record()
    assert seen == []
    play.deliver(failed(1))
    assert seen == ["TaskFailed", "finally"]
    assert positions(play) == [2, 3]
    assert play.output == "returned"


# --- foreign awaitables ----------------------------------------------------------------------------


class _Custom:
    def __await__(self) -> Generator[Any, None, None]:
        yield "something of its own"


async def _new_task() -> None:
    await asyncio.create_task(asyncio.sleep(0))


@pytest.mark.parametrize(
    ("foreign", "advice"),
    [
        (lambda: asyncio.sleep(0), "ctx.sleep"),
        (lambda: asyncio.sleep(1), "ctx.sleep"),
        (lambda: asyncio.to_thread(print), "ctx.run"),
        (_Custom, "ctx.run"),
        (lambda: asyncio.wait_for(asyncio.sleep(1), 2), "ctx."),
        (lambda: asyncio.gather(asyncio.sleep(1)), "ctx.gather"),
        (_new_task, "ctx.gather"),
    ],
    ids=["sleep(0)", "sleep(1)", "to_thread", "custom", "wait_for", "gather", "create_task"],
)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_foreign_awaitable_is_refused_with_the_method_to_use(
    foreign: Callable[[], Awaitable[object]], advice: str
) -> None:
    async def code(driver: Driver) -> None:
        await foreign()

    failure = Played(code).failure
    assert failure.error.type == "ForeignAwaitable"
    assert advice in failure.error.message
    gc.collect()


def test_code_that_catches_the_refusal_can_go_on() -> None:
    async def code(driver: Driver) -> Any:
        try:
            await asyncio.sleep(0)
        except Exception:
            return await schedule(driver)

    play = Played(code)
    assert play.groups == ["1"]


def test_code_that_never_stops_awaiting_something_foreign_is_failed() -> None:
    async def code(driver: Driver) -> None:
        while True:
            try:
                await asyncio.sleep(0)
            except Exception:
                continue

    assert Played(code).failure.error.type == "ForeignAwaitable"


def test_code_that_is_failed_for_awaiting_something_foreign_asks_for_nothing_while_it_unwinds() -> None:
    async def code(driver: Driver) -> None:
        try:
            while True:
                with suppress(Exception):
                    await asyncio.sleep(0)
        finally:
            schedule(driver)

    play = Played(code)
    assert play.failure.error.type == "ForeignAwaitable"
    assert play.driver.unrecorded() == []


def test_the_callers_event_loop_is_untouched() -> None:
    async def code(driver: Driver) -> None:
        with pytest.raises(Exception, match="ctx"):
            await asyncio.sleep(1)

    async def caller() -> bool:
        loop = asyncio.get_running_loop()
        Played(code)
        await asyncio.sleep(0)
        return asyncio.get_running_loop() is loop

    assert asyncio.run(caller())


# --- determinism -----------------------------------------------------------------------------------


def steps(*kinds: str) -> Code:
    """Code that does tasks of these kinds, one after the other."""

    async def code(driver: Driver) -> None:
        for kind in kinds:
            await schedule(driver, kind)

    return code


def after(kinds: list[str], settled: int) -> list[Event]:
    """The log of `steps(*kinds)` when `settled` of its tasks have completed."""
    play = Played(steps(*kinds))
    play.record()
    for position in range(1, settled + 1):
        play.deliver(completed(position))
        play.record()
    return play.log


@pytest.mark.parametrize(
    ("code", "log_says", "code_says"),
    [
        (steps("b", "a"), "schedule task 'a'", "schedule task 'b'"),
        (steps("x", "a", "b"), "schedule task 'a'", "schedule task 'x'"),
        (steps("a", "x", "b"), "schedule task 'b'", "schedule task 'x'"),
        (steps("b"), "schedule task 'a'", "schedule task 'b'"),
        (steps("a"), "schedule task 'b'", "nothing"),
        (steps("a", "renamed"), "schedule task 'b'", "schedule task 'renamed'"),
    ],
    ids=["swapped", "added first", "added between", "removed first", "removed last", "renamed"],
)
def test_changed_code_is_a_violation_that_names_both_sides(code: Code, log_says: str, code_says: str) -> None:
    failure = Played(code, after(["a", "b"], 1)).failure
    assert failure.failure_type == FailureType.DETERMINISM_VIOLATION
    assert f"- log:  {log_says}" in failure.error.message
    assert f"+ code: {code_says}" in failure.error.message


def test_another_kind_of_command_at_a_position_is_a_violation() -> None:
    async def code(driver: Driver) -> None:
        await driver.start_timer(START_MS)

    message = Played(code, after(["a"], 0)).failure.error.message
    assert "- log:  schedule task 'a'\n+ code: start timer" in message


def test_a_command_that_the_ended_turn_did_not_ask_for_is_a_violation() -> None:
    async def code(driver: Driver) -> None:
        handle = schedule(driver, "a")
        schedule(driver, "added")
        await handle

    failure = Played(code, after(["a"], 0)).failure
    assert failure.failure_type == FailureType.DETERMINISM_VIOLATION
    assert "+ code: schedule task 'added'" in failure.error.message


def test_a_command_asked_for_after_the_horizon_may_be_recorded_by_a_later_turn() -> None:
    async def code(driver: Driver) -> None:
        await schedule(driver, "a")
        await schedule(driver, "b")

    play = Played(code)
    play.deliver(created(1, "a"), completed(1), suspended(1))  # a duplicate that had seen only the first event
    assert [command.position for command in play.asked] == [2]
    assert play.groups == ["2"]


def test_code_that_ends_where_it_once_waited_is_a_violation() -> None:
    async def code(driver: Driver) -> None:
        return

    log = Played(steps()).log
    play = Played(code, [*log])
    play.deliver(suspended(1))
    assert "- log:  still waiting after event 1\n+ code: ended at event 1" in play.failure.error.message


@pytest.mark.parametrize(("name", "text"), [("cost", "run 'cost'"), (None, "nothing")])
def test_another_operation_at_an_index_is_a_violation(name: str | None, text: str) -> None:
    async def code(driver: Driver) -> None:
        if name:
            await driver.run(name, lambda: None)
        await schedule(driver)

    play = Played(code)
    play.deliver(operation_completed(1, "price"))
    assert f"- log:  run 'price'\n+ code: {text}" in play.failure.error.message


def test_swallowing_a_violation_does_not_hide_it() -> None:
    async def code(driver: Driver) -> str:
        while True:
            try:
                await schedule(driver, "changed")
            except BaseException:
                return "as if nothing had happened"

    play = Played(code, after(["a"], 0))
    play.deliver(completed(1))
    assert play.failure.failure_type == FailureType.DETERMINISM_VIOLATION
    assert play.driver.is_dead


# --- dropped from memory ---------------------------------------------------------------------------


def test_a_dropped_coroutine_unwinds_and_can_neither_record_nor_wait() -> None:
    seen: list[str] = []

    async def inner(driver: Driver) -> None:
        try:
            await schedule(driver, "first")
        finally:
            seen.append("inner")
            driver.cancel(schedule(driver, "in inner"))
            await driver.start_timer(START_MS)
            seen.append("never reached")

    async def code(driver: Driver) -> None:
        try:
            await inner(driver)
        except Exception:
            seen.append("as an ordinary exception")
        finally:
            seen.append("outer")
            driver.run("in outer", lambda: None)
            driver.spawn(inner(driver), "branch")
            await driver.start_child("child", None, name="child", queue="default")
            seen.append("never reached")

    play = Played(code)
    play.driver.drop()
    assert seen == ["inner", "outer"]
    assert positions(play) == [1]
    assert play.driver.pending_operations() == []


def test_dropping_leaves_nothing_for_the_garbage_collector_to_complain_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)

    async def inner(driver: Driver) -> None:
        try:
            await schedule(driver)
        finally:
            await schedule(driver)

    async def code(driver: Driver) -> None:
        try:
            await inner(driver)
        finally:
            await inner(driver)

    play = Played(code)
    play.driver.drop()
    del play
    gc.collect()
    assert complaints == []


def test_dropping_code_that_catches_everything_and_tries_again_comes_to_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # such code cannot be unwound without complaint
    tries: list[int] = []

    async def code(driver: Driver) -> None:
        handles = [schedule(driver) for _ in range(MAX_OPEN_OPERATIONS - 1)]
        while True:
            try:
                handle = schedule(driver)
                tries.append(1)
                driver.cancel(handle)
                await handle
            except BaseException:
                handles.clear()

    play = Played(code)
    before = len(play.asked)
    play.driver.drop()
    assert len(play.asked) == before
    assert len(tries) < 10_000
    del play
    gc.collect()


def test_a_dropped_driver_delivers_to_nobody() -> None:
    async def code(driver: Driver) -> str:
        try:
            return await schedule(driver)  # type: ignore[return-value]  # JSON
        except BaseException:
            return "early"

    play = Played(code)
    play.record()
    play.driver.drop()
    assert play.driver.finished_at is None


# --- warm and cold ---------------------------------------------------------------------------------


def test_continuing_gives_what_replaying_gives() -> None:
    async def code(driver: Driver) -> list[Any]:
        handles = [schedule(driver, kind) for kind in "abc"]
        winner = await any_of(handles)
        for handle in handles:
            if handle is not winner:
                driver.cancel(handle)
        price = await driver.run("price", lambda: 1)
        return [handles.index(winner), price, await driver.start_timer(driver.now_ms)]

    warm = Played(code)
    for event in (None, completed(2), operation_completed(1, "price", 9), fired(6)):
        if event:
            warm.deliver(event)
        if not warm.driver.pending_operations():
            warm.record()
        cold = Played(code, warm.log)
        assert cold.asked == warm.asked
        assert [o.index for o in cold.driver.pending_operations()] == [
            o.index for o in warm.driver.pending_operations()
        ]
        if not warm.driver.pending_operations():
            assert cold.outcome == warm.outcome
    assert warm.output == [1, 9, None]


def test_code_can_tell_a_replay_from_the_first_time() -> None:
    seen: list[bool] = []

    async def code(driver: Driver) -> None:
        seen.append(driver.is_replaying)
        await schedule(driver)
        seen.append(driver.is_replaying)

    play = Played(code, [Event(sequence=1, timestamp_ms=START_MS, data=started())])
    play.record()
    play.deliver(completed(1))
    assert seen == [True, False]
