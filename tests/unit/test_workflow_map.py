"""`ctx.map`: the same on many items, within limits, until its policy says that it is over."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand import WorkflowContext
from flowstrand.engine.replay.commands import CancelTask
from flowstrand.errors import BranchCancelled, InvalidDefinition, MapFailed
from flowstrand.sdk.mapping import MapEnd, MapOutcome
from tests.unit.authored import authored
from tests.unit.engine.played import Played, completed, failed


def mapping(items: int = 3, **policy: int) -> Played:
    """A map over tasks that returns what came of it."""

    async def code(ctx: WorkflowContext) -> Any:
        try:
            outcome: Any = await ctx.map(range(items), "task", **policy)
        except MapFailed as gave_up:
            outcome = gave_up.outcome
        assert isinstance(outcome, MapOutcome)
        successes = {str(index): value for index, value in outcome.successes.items()}
        return [successes, sorted(outcome.failures), outcome.skipped, outcome.reason]

    return authored(code)


def test_a_map_begins_every_item_and_gives_results_in_their_order() -> None:
    play = mapping()
    assert [command.position for command in play.asked] == [1, 2, 3]
    play.deliver(completed(3, "c"), completed(1, "a"), completed(2, "b"))
    assert play.output == [{"0": "a", "1": "b", "2": "c"}, [], [], MapEnd.ALL_ENDED]


def test_no_more_items_are_under_way_than_may_be() -> None:
    play = mapping(max_concurrency=2)
    assert len(play.asked) == 2
    play.deliver(completed(2))
    assert len(play.asked) == 3


def test_enough_successes_end_a_map_and_cancel_the_rest() -> None:
    play = mapping(min_successful=1, max_concurrency=2)
    play.deliver(completed(2, "b"))
    assert play.output == [{"1": "b"}, [], [0, 2], MapEnd.ENOUGH_SUCCEEDED]
    assert [command for command in play.asked if isinstance(command, CancelTask)] == [
        CancelTask(position=3, target=1)
    ]


def test_more_failures_than_may_be_fail_a_map() -> None:
    play = mapping(tolerated_failures=1)
    play.deliver(failed(1), failed(3))
    assert play.output == [{}, [0, 2], [1], MapEnd.TOO_MANY_FAILED]


def test_failures_that_may_be_leave_a_map_going() -> None:
    play = mapping(tolerated_failures=1)
    play.deliver(failed(1), completed(2, "b"), completed(3, "c"))
    assert play.output == [{"1": "b", "2": "c"}, [0], [], MapEnd.ALL_ENDED]


def test_a_map_over_nothing_is_over() -> None:
    assert mapping(0).output == [{}, [], [], MapEnd.ALL_ENDED]


def test_a_coroutine_whose_map_is_over_is_told_and_waited_for() -> None:
    async def steps(ctx: WorkflowContext, item: int) -> int:
        try:
            await ctx.schedule("task", item)
        except BranchCancelled:
            await ctx.schedule("clean", item)
        return item

    async def code(ctx: WorkflowContext) -> Any:
        return (await ctx.map([0, 1], lambda item: steps(ctx, item), min_successful=1)).values

    play = authored(code)
    play.deliver(completed(1))
    assert play.groups == ["3"]
    play.deliver(completed(3))
    assert play.output == [0]


@pytest.mark.parametrize("policy", [{"max_concurrency": 0}, {"min_successful": 4}, {"tolerated_failures": -1}])
def test_limits_that_make_no_sense_are_refused_before_anything_begins(policy: dict[str, int]) -> None:
    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(InvalidDefinition):
            await ctx.map(range(3), "task", **policy)

    assert authored(code).output is None
