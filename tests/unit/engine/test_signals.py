"""Signals as code takes them: first come, first served, and never by who does not wait (law 5)."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.waits import Completions, all_of, any_of
from tests.unit.engine.played import Played, completed, failed, fired, schedule, signal


async def held_until_fired(driver: Driver) -> None:
    """Wait for the timer at position 1, while signals come."""
    await driver.start_timer(0)


def test_a_signal_that_came_before_anybody_waited_is_kept() -> None:
    async def code(driver: Driver) -> Any:
        await held_until_fired(driver)
        return await driver.wait_for_signal("a")

    play = Played(code)
    play.deliver(signal("a", 1), fired(1))
    assert play.output == 1


def test_signals_of_one_name_are_given_in_the_order_in_which_they_came() -> None:
    async def code(driver: Driver) -> Any:
        return [await driver.wait_for_signal("a"), await driver.wait_for_signal("a")]

    play = Played(code)
    play.deliver(signal("a", 1), signal("b", 0), signal("a", 2))
    assert play.output == [1, 2]


def test_who_has_waited_longest_is_served_first() -> None:
    async def code(driver: Driver) -> Any:
        first, second = driver.wait_for_signal("a"), driver.wait_for_signal("a")
        await all_of([driver.spawn(awaited(second), "one"), driver.spawn(awaited(first), "another")])
        return [first.value, second.value]

    play = Played(code)
    play.deliver(signal("a", 1), signal("a", 2))
    assert play.output == [2, 1]


async def awaited(future: Future) -> Any:
    return await future


def test_a_handle_that_nobody_awaits_takes_nothing() -> None:
    async def code(driver: Driver) -> Any:
        unused = driver.wait_for_signal("a")
        await held_until_fired(driver)
        return [unused.is_done, driver.signals.count("a")]

    play = Played(code)
    play.deliver(signal("a"), fired(1))
    assert play.output == [False, 1]


def test_a_signal_that_lost_while_code_waited_is_left_to_others() -> None:
    async def code(driver: Driver) -> Any:
        await any_of([driver.wait_for_signal("a"), schedule(driver)])
        await driver.start_timer(0)
        return driver.signals.count("a")

    play = Played(code)
    play.deliver(completed(1), signal("a"), fired(2))
    assert play.output == 1


def test_of_signals_that_have_come_a_select_takes_the_earliest_alone() -> None:
    async def code(driver: Driver) -> Any:
        await held_until_fired(driver)
        winner = await any_of([driver.wait_for_signal("a"), driver.wait_for_signal("b")])
        return [winner.value, driver.signals.count("a"), driver.signals.count("b")]

    play = Played(code)
    play.deliver(signal("b", "earlier"), signal("a", "later"), fired(1))
    assert play.output == ["earlier", 1, 0]


def test_a_select_leaves_a_signal_that_came_after_what_else_has_settled() -> None:
    async def code(driver: Driver) -> Any:
        task = schedule(driver)
        await driver.start_timer(0)
        winner = await any_of([driver.wait_for_signal("a"), task])
        return [winner is task, driver.signals.count("a")]

    play = Played(code)
    play.deliver(completed(1), signal("a"), fired(2))
    assert play.output == [True, 1]


def test_a_gather_that_has_failed_already_takes_no_signal() -> None:
    async def code(driver: Driver) -> Any:
        task = schedule(driver)
        await driver.start_timer(0)
        await all_of([task, driver.wait_for_signal("a")])
        return [task.failure is not None, driver.signals.count("a")]

    play = Played(code)
    play.deliver(failed(1), signal("a"), fired(2))
    assert play.output == [True, 1]


def test_completions_give_signals_that_have_come_in_the_order_of_the_log() -> None:
    async def code(driver: Driver) -> Any:
        task = schedule(driver)
        await driver.start_timer(0)
        order = Completions([driver.wait_for_signal("a"), task, driver.wait_for_signal("b")])
        return [(await order.next()).value for _ in range(3)]

    play = Played(code)
    play.deliver(signal("b", "b"), completed(1, "task"), signal("a", "a"), fired(2))
    assert play.output == ["b", "task", "a"]


def test_completions_that_are_left_early_take_no_more_signals() -> None:
    async def code(driver: Driver) -> Any:
        await held_until_fired(driver)
        order = Completions([driver.wait_for_signal("a"), driver.wait_for_signal("b")])
        return [(await order.next()).value, driver.signals.count("b")]

    play = Played(code)
    play.deliver(signal("a", 1), signal("b", 2), fired(1))
    assert play.output == [1, 1]


def test_completions_wait_for_a_signal_that_comes_later() -> None:
    async def code(driver: Driver) -> Any:
        order = Completions([driver.wait_for_signal("a"), schedule(driver)])
        return [(await order.next()).value, (await order.next()).value]

    play = Played(code)
    play.deliver(completed(1, "task"), signal("a", "signal"))
    assert play.output == ["task", "signal"]


def test_a_wait_for_signals_says_their_names() -> None:
    async def code(driver: Driver) -> Any:
        await all_of([driver.wait_for_signal("a"), driver.wait_for_signal("a"), schedule(driver)])

    play = Played(code)
    outcome: Any = play.outcome
    assert [(group.operations, group.signals) for group in outcome.groups] == [("1", ("a", "a"))]


def test_what_is_untaken_is_known_by_sequence() -> None:
    async def code(driver: Driver) -> Any:
        await driver.wait_for_signal("a")
        await driver.start_timer(0)

    play = Played(code)
    play.deliver(signal("b"), signal("a"), signal("a"))
    assert play.driver.signals.untaken() == (2, 4)
