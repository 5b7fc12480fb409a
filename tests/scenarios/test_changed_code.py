"""S15: code that changes between turns, on both stores: what no longer matches its log says so, and patches keep it matching."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios import changing
from tests.scenarios.changing import Code, Deployed
from tests.scenarios.conftest import Everywhere
from tests.scenarios.script import Player, compact, comparable, events
from tests.scenarios.world import World


def changed(world: World, programs: Deployed, *, first: Code, then: Code, before: str, after: str) -> str:
    """An execution that `first` began and `then` goes on with; acts before and after the change."""
    programs.deploy(first)
    execution = world.start("changing")
    world.settle()
    player = Player(world, execution)
    player.play(before)
    world.services.warm.clear()  # a deployment ends the processes of the one before
    programs.deploy(then)
    player.play(after)
    return execution


SWAPPED = "- log:  schedule task 'a'\n+ code: schedule task 'b'"

VIOLATIONS: dict[str, tuple[Code, Code, str, str]] = {
    "swapped": (changing.two_tasks, changing.swapped, "position 1", SWAPPED),
    "swapped, and swallowed": (changing.two_tasks, changing.swapped_and_swallowed, "position 1", SWAPPED),
    "added": (
        changing.two_tasks,
        changing.another_before,
        "position 1",
        "- log:  schedule task 'a'\n+ code: start timer",
    ),
    "removed": (changing.two_tasks, changing.beginning_removed, "position 1", SWAPPED),
    "all removed": (
        changing.two_tasks,
        changing.all_removed,
        "position 1",
        "- log:  schedule task 'a'\n+ code: nothing: it asked for no command at this position",
    ),
    "a function added": (
        changing.two_tasks,
        changing.function_added,
        "position 1",
        "- log:  schedule task 'a'\n+ code: nothing: it asked for no command at this position",
    ),
    "a function removed": (
        changing.with_function,
        changing.function_removed,
        "operation 1",
        "- log:  run 'look'\n+ code: nothing: it has not called ctx.run so often",
    ),
    "a function renamed": (
        changing.with_function,
        changing.function_renamed,
        "operation 1",
        "- log:  run 'look'\n+ code: run 'stare'",
    ),
    "a deprecated patch": (
        changing.two_tasks,
        changing.deprecates,
        "patch 'first-c'",
        "- log:  went on from here without the patch\n+ code: has only what came with it",
    ),
    "a deprecated patch, and swallowed": (
        changing.two_tasks,
        changing.deprecates_and_swallows,
        "patch 'first-c'",
        "- log:  went on from here without the patch\n+ code: has only what came with it",
    ),
}


@pytest.mark.parametrize(("first", "then", "where", "diff"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_s15_code_that_no_longer_matches_fails_with_both_sides(
    everywhere: Everywhere, first: Code, then: Code, where: str, diff: str
) -> None:
    programs = Deployed(first)
    for world in everywhere(programs):
        execution = changed(world, programs, first=first, then=then, before="", after="done a")
        end = events(world, execution)[-1]["data"]
        assert end["failureType"] == "DETERMINISM_VIOLATION"
        message = end["error"]["message"]
        assert where in message
        assert "event " in message
        assert message.endswith(diff)


@pytest.mark.parametrize(("first", "then"), [pair[:2] for pair in VIOLATIONS.values()], ids=VIOLATIONS.keys())
def test_s15_nothing_that_diverging_code_asks_for_is_recorded(
    everywhere: Everywhere, first: Code, then: Code
) -> None:
    programs = Deployed(first)
    for world in everywhere(programs):
        execution = changed(world, programs, first=first, then=then, before="", after="done a")
        types = [event["type"] for event in events(world, execution)]
        began = types.index("WORKFLOW_SUSPENDED")
        assert set(types[began:]) == {
            "WORKFLOW_SUSPENDED",
            "TASK_STARTED",
            "TASK_COMPLETED",
            "WORKFLOW_RESUMED",
            "WORKFLOW_FAILED",
        }


PATCHED: dict[str, tuple[Code, Code, str, str, str, str]] = {
    "an old execution goes the old way": (
        changing.two_tasks,
        changing.inserts_with_patch,
        "",
        "done a, done b",
        "start +a wait >a =a resume +b wait >b =b resume end",
        "patched",
    ),
    "a new execution goes the new way": (
        changing.inserts_with_patch,
        changing.inserts_with_patch,
        "",
        "done c, done a, done b",
        "start :patch:first-c +c wait >c =c resume +a wait >a =a resume +b wait >b =b resume end",
        "patched",
    ),
    "an old execution that has not come so far goes the new way": (
        changing.two_tasks,
        changing.replaces_with_patch,
        "",
        "done a, done c",
        "start +a wait >a =a resume :patch:c-for-b +c wait >c =c resume end",
        "patched",
    ),
    "an old execution that has come so far goes the old way": (
        changing.two_tasks,
        changing.replaces_with_patch,
        "done a",
        "done b",
        "start +a wait >a =a resume +b wait >b =b resume end",
        "patched",
    ),
    "a patch may be deprecated once every execution has it": (
        changing.inserts_with_patch,
        changing.deprecates,
        "done c",
        "done a, done b",
        "start :patch:first-c +c wait >c =c resume +a wait >a =a resume +b wait >b =b resume end",
        "deprecated",
    ),
    "what is begun by code with a deprecated patch says so": (
        changing.deprecates,
        changing.deprecates,
        "",
        "done c, done a, done b",
        "start :patch:first-c +c wait >c =c resume +a wait >a =a resume +b wait >b =b resume end",
        "deprecated",
    ),
}


@pytest.mark.parametrize(
    ("first", "then", "before", "after", "log", "output"), PATCHED.values(), ids=PATCHED.keys()
)
def test_s15_patches_keep_old_executions_going(
    everywhere: Everywhere, first: Code, then: Code, before: str, after: str, log: str, output: str
) -> None:
    programs, logs = Deployed(first), list[Any]()
    for world in everywhere(programs):
        execution = changed(world, programs, first=first, then=then, before=before, after=after)
        assert compact(world, execution) == log
        assert world.get(execution)["output"] == output
        logs.append(comparable(world, execution))
    assert all(one == logs[0] for one in logs)
