"""Interruptions: raised once, at a wait that is not shielded, after the branch's own branches have ended."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.outcome import Cancelled, Raised
from flowstrand.engine.replay.waits import all_of
from flowstrand.errors import BranchCancelled, WorkflowCancelled
from tests.unit.engine.played import Played, cancellation_requested, completed, schedule


async def caught(awaitable: Awaitable[object]) -> str:
    """What waiting for it raises."""
    try:
        await awaitable
    except BaseException as failure:
        return type(failure).__name__
    return "nothing"


async def awaited(awaitable: Awaitable[object]) -> object:
    """As a coroutine."""
    return await awaitable


def test_a_cancellation_is_raised_at_the_wait() -> None:
    async def code(driver: Driver) -> Any:
        return await caught(schedule(driver))

    play = Played(code)
    play.deliver(cancellation_requested("enough"))
    assert play.output == "WorkflowCancelled"


def test_a_cancellation_that_code_lets_through_ends_it_with_the_reason() -> None:
    async def code(driver: Driver) -> None:
        await schedule(driver)

    play = Played(code)
    play.deliver(cancellation_requested("enough"))
    assert play.outcome == Cancelled("enough")


def test_a_cancellation_is_raised_once() -> None:
    async def code(driver: Driver) -> Any:
        return [await caught(schedule(driver)), await caught(schedule(driver))]

    play = Played(code)
    play.deliver(cancellation_requested(), completed(2))
    assert play.output == ["WorkflowCancelled", "nothing"]


def test_a_cancellation_waits_for_a_shielded_wait_to_end() -> None:
    async def code(driver: Driver) -> Any:
        await all_of([schedule(driver)], is_shielded=True)
        return await caught(schedule(driver))

    play = Played(code)
    play.deliver(cancellation_requested())
    assert play.groups == ["1"]
    play.deliver(completed(1))
    assert play.output == "WorkflowCancelled"


def test_what_a_shielded_branch_begins_is_shielded_too() -> None:
    async def inner(driver: Driver) -> str:
        return await caught(driver.spawn(awaited(schedule(driver)), "inner"))

    async def code(driver: Driver) -> Any:
        future = driver.spawn(inner(driver), "outer", is_shielded=True)
        await all_of([future], is_shielded=True)
        return future.value

    play = Played(code)
    play.deliver(cancellation_requested(), completed(1))
    assert play.output == "nothing"


def test_a_branch_hears_of_a_cancellation_after_its_own_branches_have_cleaned_up() -> None:
    heard: list[str] = []

    async def inner(driver: Driver) -> None:
        try:
            await schedule(driver)
        finally:
            await schedule(driver)
            heard.append("inner")

    async def code(driver: Driver) -> Any:
        try:
            await driver.spawn(inner(driver), "inner")
        finally:
            heard.append("outer")

    play = Played(code)
    play.deliver(cancellation_requested())
    assert heard == []
    play.deliver(completed(2))
    assert heard == ["inner", "outer"]


def test_each_branch_is_raised_an_exception_of_its_own() -> None:
    raised: list[BaseException] = []

    async def inner(driver: Driver) -> None:
        try:
            await schedule(driver)
        except WorkflowCancelled as cancelled:
            raised.append(cancelled)

    async def code(driver: Driver) -> Any:
        await all_of([driver.spawn(inner(driver), "a"), driver.spawn(inner(driver), "b")])

    Played(code).deliver(cancellation_requested())
    assert len({id(one) for one in raised}) == 2


def test_one_branch_alone_can_be_interrupted() -> None:
    async def code(driver: Driver) -> Any:
        branch = driver.spawn(caught(schedule(driver)), "one")
        await schedule(driver)
        interrupted = driver.interrupt(branch, lambda: BranchCancelled("not needed"))
        return [interrupted, await branch]

    play = Played(code)
    play.deliver(completed(2))
    assert play.output == [True, "BranchCancelled"]


def test_what_is_no_branch_cannot_be_interrupted() -> None:
    async def code(driver: Driver) -> Any:
        task = schedule(driver)
        await schedule(driver)
        return driver.interrupt(task, lambda: BranchCancelled("not needed"))

    play = Played(code)
    play.deliver(completed(2))
    assert play.output is False


def test_a_check_takes_the_cancellation_from_the_next_wait() -> None:
    async def checks(driver: Driver) -> None:
        driver.check_cancellation()

    async def code(driver: Driver) -> Any:
        await all_of([schedule(driver)], is_shielded=True)
        return [await caught(checks(driver)), await caught(schedule(driver))]

    play = Played(code)
    play.deliver(cancellation_requested(), completed(1), completed(2))
    assert play.output == ["WorkflowCancelled", "nothing"]


def test_a_cancellation_that_comes_after_the_end_changes_nothing() -> None:
    async def code(driver: Driver) -> None:
        await schedule(driver)
        raise WorkflowCancelled("by the code itself")

    play = Played(code)
    play.deliver(completed(1), cancellation_requested())
    assert isinstance(play.outcome, Raised)
