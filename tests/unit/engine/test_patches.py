"""Patches: decided once, by what the log holds beyond where the code stands (law 5)."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.events import WaitGroup
from flowstrand.engine.replay.driver import Driver
from tests.unit.engine.played import (
    CodeProgram,
    Played,
    completed,
    created,
    operation_completed,
    schedule,
    suspended,
)


async def patched_at_once(driver: Driver) -> Any:
    answer = driver.is_patched("p")
    await schedule(driver)
    return [answer, driver.is_patched("p")]


def foreseen(*data: Any) -> Driver:
    """`patched_at_once` where the log holds more than its beginning."""
    play = Played(patched_at_once)
    play.deliver(*data)
    driver = Driver(CodeProgram(patched_at_once))
    driver.foresee(play.log)
    for event in play.log:
        driver.deliver(event, replaying=True)
    return driver


def test_where_code_comes_for_the_first_time_a_patch_applies_and_is_to_be_recorded() -> None:
    play = Played(patched_at_once)
    assert play.driver.unrecorded_patches() == ["p"]
    play.deliver(operation_completed(0, "patch:p"), created(1), completed(1))
    assert play.output == [True, True]
    assert play.driver.unrecorded_patches() == []


def test_where_the_log_holds_a_command_beyond_the_code_a_patch_does_not_apply() -> None:
    driver = foreseen(created(1), completed(1))
    assert driver.outcome().output == [False, False]  # type: ignore[union-attr]  # it has returned
    assert driver.unrecorded_patches() == []


def test_where_the_log_holds_the_marker_a_patch_applies() -> None:
    driver = foreseen(operation_completed(0, "patch:p"), created(1), completed(1))
    assert driver.outcome().output == [True, True]  # type: ignore[union-attr]  # it has returned
    assert driver.unrecorded_patches() == []


def test_where_a_turn_has_closed_beyond_the_code_a_patch_does_not_apply() -> None:
    async def code(driver: Driver) -> Any:
        await driver.wait_for_signal("a")

    play = Played(code)
    play.deliver(suspended(1, WaitGroup.of(frozenset(), signals=("a",))))
    driver = Driver(CodeProgram(code))
    driver.foresee(play.log)
    driver.deliver(play.log[0])
    assert not driver.is_patched("p")


def test_code_that_unwinds_decides_nothing() -> None:
    async def code(driver: Driver) -> Any:
        try:
            await schedule(driver)
        finally:
            driver.is_patched("p")

    play = Played(code)
    play.driver.drop()
    assert play.driver.unrecorded_patches() == []
