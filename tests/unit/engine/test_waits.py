"""Waits and completions: counted down as futures settle, and recorded as what can still release them."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.waits import Completions, Mode, Wait
from tests.unit.engine.played import Played, completed, schedule


def settled(order: int, failure: BaseException | None = None) -> Future:
    """A future that has settled as the `order`th."""
    future = Future(f"f{order}", order)
    future.settle(order, order, failure)
    return future


def opened(position: int) -> Future:
    """A future that has not."""
    return Future(f"f{position}", position)


def recorded(wait: Wait) -> list[tuple[str, bool, bool]]:
    """Its groups: positions, whether failures wait as well, whether any member is enough."""
    return [(group.operations, bool(group.settled), bool(group.any_of)) for group in wait.groups()]


def test_a_wait_for_any_is_recorded_as_a_group_for_each() -> None:
    assert recorded(Wait([opened(1), opened(2)], Mode.ANY)) == [("1", False, False), ("2", False, False)]


def test_a_wait_for_all_is_recorded_as_one_group_of_what_is_open() -> None:
    assert recorded(Wait([opened(1), settled(2), opened(3)], Mode.ALL)) == [("1,3", False, False)]


def test_a_wait_for_all_that_settle_says_that_failures_do_not_release_it() -> None:
    assert recorded(Wait([opened(1), opened(2)], Mode.ALL_SETTLED)) == [("1-2", True, False)]


def test_a_wait_for_branches_alone_records_nothing() -> None:
    assert recorded(Wait([Future("branch", None)], Mode.ALL)) == []


def test_a_wait_for_all_is_over_at_the_first_failure() -> None:
    failing, other = opened(1), opened(2)
    wait = Wait([failing, other], Mode.ALL)
    assert failing.settle(1, failure=ValueError("no")) == [wait]
    assert wait.is_over
    assert other.observers == []


def test_a_wait_for_all_that_settle_goes_on_after_a_failure() -> None:
    failing, other = opened(1), opened(2)
    wait = Wait([failing, other], Mode.ALL_SETTLED)
    assert failing.settle(1, failure=ValueError("no")) == []
    assert other.settle(2) == [wait]


def test_a_future_that_is_awaited_twice_in_one_wait_counts_once() -> None:
    future = opened(1)
    wait = Wait([future, future], Mode.ALL)
    assert future.settle(1) == [wait]


def test_an_abandoned_wait_is_not_told_any_more() -> None:
    future = opened(1)
    wait = Wait([future], Mode.ALL)
    wait.abandon()
    assert future.settle(1) == []


def test_the_first_outcome_of_a_future_stays() -> None:
    future = settled(1)
    assert future.settle(2, "other") == []
    assert (future.order, future.value) == (1, 1)


def test_completions_are_recorded_as_one_group_that_any_member_releases() -> None:
    wait = Completions([opened(1), opened(2)]).suspend()
    assert wait is not None
    assert recorded(wait) == [("1-2", False, True)]


def test_completions_give_what_has_settled_already_in_the_order_of_the_log() -> None:
    async def code(driver: Driver) -> Any:
        order = Completions([settled(3), settled(1), settled(2)])
        return [(await order.next()).order for _ in range(3)]

    assert Played(code).output == [1, 2, 3]


def test_completions_know_when_they_are_over() -> None:
    async def code(driver: Driver) -> Any:
        order = Completions([schedule(driver), schedule(driver)])
        taken = 0
        while order:
            await order.next()
            taken += 1
        return taken

    play = Played(code)
    play.deliver(completed(2), completed(1))
    assert play.output == 2


def test_completions_look_at_a_future_that_is_given_twice_once() -> None:
    future = opened(1)
    order = Completions([future, future])
    future.settle(1)
    assert order
    assert order.open == []


def test_what_is_added_to_completions_later_is_waited_for_as_well() -> None:
    order, later = Completions(), opened(1)
    assert not order
    order.add(later)
    assert order.open == [later]
    later.settle(1)
    assert order.suspend() is None
