"""A recorded history replays on the code that made it, and on no code that would have asked for anything else."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flowstrand import DeterminismViolation, WorkflowContext, workflow
from flowstrand.cli.program import program
from flowstrand.engine.events import EventType
from flowstrand.errors import ConfigurationError, InvalidInput
from flowstrand.testing import Environment, Replayed, replay_history
from flowstrand.testing.recorded import events_of
from flowstrand.views.history_item import history_item
from tests.unit.every_event import event_of
from tests.unit.testing.app import APP, Order, delivery, order, ship, shopping
from tests.unit.testing.record import HISTORIES

pytestmark = pytest.mark.anyio

FILES = sorted(file.name for file in HISTORIES.glob("*.json"))


@pytest.mark.parametrize("name", FILES)
def test_every_recorded_history_replays_on_the_code_that_made_it(name: str) -> None:
    recorded = json.loads((HISTORIES / name).read_text(encoding="utf-8"))
    assert replay_history(recorded, APP).events == len(recorded["events"])
    assert replay_history(recorded["events"], APP) == replay_history(HISTORIES / name, APP)


def test_every_turn_is_compared() -> None:
    replayed = replay_history(HISTORIES / "shopping-closed.json", shopping)
    assert replayed == Replayed(kind="shopping", events=21, turns=4)


# --- code that has changed --------------------------------------------------------------------------

Code = Callable[[WorkflowContext, Any], Awaitable[Any]]


async def added_task(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.run("token", lambda: "T-1")
    await ctx.gather(*(ctx.schedule(ship, amount) for amount in [*basket, 3]))


async def removed_task(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.run("token", lambda: "T-1")
    await ctx.schedule(ship, 1)


async def swapped_tasks(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.run("token", lambda: "T-1")
    await ctx.gather(ctx.schedule("pack", 1), ctx.schedule(ship, 2))


async def changed_command(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.run("token", lambda: "T-1")
    await ctx.gather(*(ctx.schedule(ship, amount) for amount in basket))
    await ctx.schedule(ship, 60)


async def renamed_function(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.run("ticket", lambda: "T-1")


async def removed_first_function(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.gather(*(ctx.schedule(ship, amount) for amount in basket))
    await ctx.sleep(60)
    await ctx.run("note", lambda: "thank you")


async def removed_last_function(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.run("token", lambda: "T-1")
    await ctx.gather(*(ctx.schedule(ship, amount) for amount in basket))
    await ctx.sleep(60)
    await ctx.schedule_workflow(delivery, sum(basket))


async def function_added_and_awaited(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.run("token", lambda: "T-1")
    await ctx.run("count", lambda: 1)
    await ctx.gather(*(ctx.schedule(ship, amount) for amount in basket))


async def function_added_beside_a_closed_turn(ctx: WorkflowContext, basket: list[int]) -> None:
    """Nothing waits for it, so no command is ever missed: only the turn that it would have held open shows it."""
    await ctx.run("token", lambda: "T-1")
    await ctx.gather(*(ctx.schedule(ship, amount) for amount in basket))
    await ctx.sleep(60)
    await ctx.run("note", lambda: "thank you")
    ctx.run("audit", lambda: "unseen")
    await ctx.schedule_workflow(delivery, sum(basket))


async def ends_early(ctx: WorkflowContext, basket: list[int]) -> None:
    await ctx.run("token", lambda: "T-1")


async def ends_late(ctx: WorkflowContext, basket: list[int]) -> None:
    await shopping.code(ctx, basket)
    await ctx.sleep(5)


async def command_added_to_the_last_turn(ctx: WorkflowContext, basket: list[int]) -> None:
    await shopping.code(ctx, basket)
    ctx.schedule(ship, 99)


async def fails_at_the_end(ctx: WorkflowContext, basket: list[int]) -> None:
    await shopping.code(ctx, basket)
    raise LookupError("lost")


async def cannot_begin(ctx: WorkflowContext, basket: list[dict[str, str]]) -> None:
    await shopping.code(ctx, basket)


CHANGES: dict[Code, tuple[str, str, str]] = {
    added_task: ("position 3", "asked for no such command", "schedule task 'ship'"),
    removed_task: ("position 2", "schedule task 'ship'", "asked for no command at this position"),
    swapped_tasks: ("position 1", "schedule task 'ship'", "schedule task 'pack'"),
    changed_command: ("position 3", "start timer", "schedule task 'ship'"),
    renamed_function: ("operation 1", "run 'token'", "run 'ticket'"),
    removed_first_function: ("operation 1", "run 'token'", "it has not called ctx.run so often"),
    removed_last_function: ("operation 2", "run 'note'", "it has not called ctx.run so often"),
    function_added_and_awaited: ("operation 2", "ran no such function", "run 'count'"),
    function_added_beside_a_closed_turn: ("operation 3", "ran no such function", "run 'audit'"),
    ends_early: ("the end of a turn", "the workflow waits", "the workflow completes"),
    ends_late: ("the end of a turn", "the workflow completes", "the workflow waits: for a TIMER"),
    command_added_to_the_last_turn: ("position 5", "asked for no such command", "schedule task 'ship'"),
    fails_at_the_end: ("the end of a turn", "the workflow completes", "the workflow fails: LookupError: lost"),
    cannot_begin: ("operation 1", "run 'token'", "it has not called ctx.run so often"),
}  # fmt: skip


@pytest.mark.parametrize("code", CHANGES, ids=lambda code: code.__name__)
def test_code_that_has_changed_is_a_violation_with_both_sides(code: Any) -> None:
    where, recorded, asked = CHANGES[code]
    changed = workflow(name="shopping")(code)
    with pytest.raises(DeterminismViolation) as found:
        replay_history(HISTORIES / "shopping-closed.json", changed)
    headline, log_side, code_side = found.value.message.splitlines()
    assert where in headline
    assert log_side.startswith("- log: ")
    assert recorded in log_side
    assert code_side.startswith("+ code: ")
    assert asked in code_side


def test_a_violation_that_the_code_swallows_is_found_all_the_same() -> None:
    @workflow(name="shopping")
    async def swallowing(ctx: WorkflowContext, basket: list[int]) -> object:
        with suppress(BaseException):
            await changed_command(ctx, basket)
        return "fine"

    with pytest.raises(DeterminismViolation, match="start timer"):
        replay_history(HISTORIES / "shopping-closed.json", swallowing)


def test_code_may_change_beyond_what_is_recorded() -> None:
    @workflow(name="shopping")
    async def longer(ctx: WorkflowContext, basket: list[int]) -> object:
        await ctx.run("token", lambda: "T-1")
        await ctx.gather(*(ctx.schedule(ship, amount) for amount in basket))
        await ctx.sleep(60)
        return await ctx.schedule("survey", "how was it?")

    assert replay_history(HISTORIES / "shopping-open.json", longer).turns == 2
    with pytest.raises(DeterminismViolation):
        replay_history(HISTORIES / "shopping-closed.json", longer)


def test_an_open_execution_must_wait_for_what_its_log_says() -> None:
    @workflow(name="shopping")
    async def waits_for_more(ctx: WorkflowContext, basket: list[int]) -> object:
        await ctx.run("token", lambda: "T-1")
        one, two = (ctx.schedule(ship, amount) for amount in basket)
        await one
        return await two

    begun = json.loads((HISTORIES / "shopping-open.json").read_text(encoding="utf-8"))["events"][:5]
    with pytest.raises(DeterminismViolation, match="the newest wait"):
        replay_history(begun, waits_for_more)


def test_an_execution_that_failed_must_fail_again() -> None:
    @workflow(name="broken")
    async def repaired(ctx: WorkflowContext) -> None:
        return None

    with pytest.raises(DeterminismViolation, match="the workflow fails: LookupError: nothing there"):
        replay_history(HISTORIES / "broken-failed.json", repaired)


async def test_a_violation_on_record_does_not_stand_in_the_way_of_the_code_that_mends_it() -> None:
    async with Environment(app=APP) as env:
        handle = await env.start(shopping, [1, 2])
        history = await env.history(handle)
    failed = {
        "sequence": 13,
        "type": "WORKFLOW_FAILED",
        "timestamp": "2026-01-01T00:00:01.000Z",
        "data": {
            "workflowExecutionId": handle.id,
            "kind": "shopping",
            "status": "FAILED",
            "error": {"type": "DeterminismViolation", "message": "…"},
            "failureType": "DETERMINISM_VIOLATION",
            "horizon": 12,
        },
    }
    events: Any = history["events"]
    assert replay_history([*events, failed], APP).turns == 3


# --- reading ----------------------------------------------------------------------------------------


def test_every_event_is_read_back_as_it_was_shown() -> None:
    events = [event_of(event_type, sequence) for sequence, event_type in enumerate(EventType, start=1)]
    shown: list[Any] = [history_item(event) for event in events]
    assert events_of(shown) == events


# --- what is no history ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ({}, "no list"),
        ([], "empty"),
        ([{"sequence": 1}], "not an event: KeyError"),
        ([{"sequence": 1, "type": "NEWS", "timestamp": "2026-01-01T00:00:00Z", "data": {}}], "not an event"),
        (Path("there-is-none.json"), "cannot be read"),
        (Path(__file__), "is not JSON"),
    ],
    ids=["no events", "empty", "half an event", "unknown event", "no file", "no JSON"],
)
def test_what_is_no_history_is_refused(history: Any, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        replay_history(history, APP)


def test_a_history_with_a_page_missing_is_refused() -> None:
    events = json.loads((HISTORIES / "shopping-closed.json").read_text(encoding="utf-8"))["events"]
    with pytest.raises(InvalidInput, match="event 4 where 3 should be"):
        replay_history([*events[:2], *events[3:]], APP)


def test_a_workflow_that_the_code_lacks_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"no workflow 'shopping'; it has: order"):
        replay_history(HISTORIES / "shopping-closed.json", [order])


async def test_what_an_environment_gives_can_be_replayed() -> None:
    async with Environment(app=APP) as env:
        handle = await env.start(order, Order(amount=2))
        assert replay_history(await env.history(handle), "tests.unit.testing.app:APP").turns == 2


# --- the command ------------------------------------------------------------------------------------


def test_the_command_says_that_code_and_histories_agree() -> None:
    files = [str(HISTORIES / name) for name in FILES]
    answer = CliRunner().invoke(program, ["replay", *files, "--app", "tests.unit.testing.app:APP"])
    assert answer.exit_code == 0, answer.output
    assert "shopping: 21 events, 4 turns: the same" in answer.output
    assert answer.output.count("the same") == len(FILES)


def test_the_command_shows_the_difference_and_exits_with_1(tmp_path: Path) -> None:
    changed = tmp_path / "changed.py"
    changed.write_text(
        "from flowstrand import WorkflowContext, workflow\n"
        "@workflow\n"
        "async def shopping(ctx: WorkflowContext, basket: list[int]) -> None:\n"
        "    await ctx.sleep(1)\n",
        encoding="utf-8",
    )
    broken, fine = HISTORIES / "shopping-closed.json", HISTORIES / "shopping-open.json"
    answer = CliRunner().invoke(program, ["replay", str(broken), str(fine), "--app", str(changed)])
    assert answer.exit_code == 1
    assert "- log:  run 'token'" in answer.output
    assert "DETERMINISM_VIOLATION" in answer.output


def test_the_command_tells_programs_what_came_of_each(tmp_path: Path) -> None:
    files = [str(HISTORIES / "shopping-closed.json"), str(tmp_path / "none.json")]
    answer = CliRunner().invoke(program, ["replay", *files, "--app", "tests.unit.testing.app:APP", "--json"])
    assert (answer.exit_code, answer.stderr) == (1, "")
    agreeing, missing = json.loads(answer.stdout)["replays"]
    assert (agreeing["agrees"], agreeing["kind"], agreeing["events"], agreeing["turns"]) == (
        True,
        "shopping",
        21,
        4,
    )
    assert (missing["agrees"], missing["code"], missing["history"]) == (False, "INVALID_HISTORY", files[1])


def test_the_command_reads_what_the_command_for_events_writes(tmp_path: Path) -> None:
    events = json.loads((HISTORIES / "shopping-closed.json").read_text(encoding="utf-8"))["events"]
    lines = tmp_path / "events.jsonl"
    lines.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    answer = CliRunner().invoke(program, ["replay", str(lines), "--app", "tests.unit.testing.app:APP"])
    assert answer.exit_code == 0, answer.output


def test_the_command_tells_a_file_that_is_no_history(tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        program, ["replay", str(tmp_path / "none.json"), "--app", "tests.unit.testing.app"]
    )
    assert answer.exit_code == 1
    assert "INVALID_HISTORY" in answer.output
