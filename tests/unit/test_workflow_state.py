"""The workflow's own state: what code sets is what clients see and what code gets."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand import NotSerializable, WorkflowContext
from flowstrand.engine.replay.commands import ClearState, SetState
from tests.unit.authored import AuthorCode, authored


def asked_by(code: AuthorCode) -> list[Any]:
    """What the code asks for before it waits."""

    async def then_waits(ctx: WorkflowContext) -> None:
        await code(ctx)
        await ctx.wait_for_signal("never")

    return list(authored(then_waits).asked)


def test_each_change_is_asked_for_in_the_order_of_the_code() -> None:
    async def code(ctx: WorkflowContext) -> None:
        ctx.set("a", 1)
        ctx.set("b", {"x": [1]})
        ctx.clear("a")
        ctx.set("a", 2)

    assert asked_by(code) == [
        SetState(position=1, key="a", value=1),
        SetState(position=2, key="b", value={"x": [1]}),
        ClearState(position=3, key="a"),
        SetState(position=4, key="a", value=2),
    ]


def test_clearing_what_has_no_value_asks_for_nothing() -> None:
    async def code(ctx: WorkflowContext) -> None:
        ctx.clear("a")
        ctx.clear_all()

    assert asked_by(code) == []


def test_code_gets_what_it_has_set() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        ctx.set("a", 1)
        ctx.set("b", 2)
        ctx.clear("a")
        return [ctx.get("a"), ctx.get("a", default="none"), ctx.get("b", int), ctx.state_keys()]

    assert authored(code).output == [None, "none", 2, ["b"]]


def test_clear_all_clears_every_key() -> None:
    async def code(ctx: WorkflowContext) -> None:
        ctx.set("a", 1)
        ctx.set("b", 2)
        ctx.clear_all()

    assert [command.key for command in asked_by(code)[2:]] == ["a", "b"]


def test_what_code_does_to_a_value_that_it_got_changes_nothing() -> None:
    async def code(ctx: WorkflowContext) -> None:
        ctx.set("a", [1])
        ctx.get("a").append(2)
        ctx.set("b", ctx.get("a"))

    assert [command.value for command in asked_by(code)] == [[1], [1]]


def test_what_cannot_be_written_is_refused_at_the_call() -> None:
    async def code(ctx: WorkflowContext) -> Any:
        with pytest.raises(NotSerializable):
            ctx.set("a", object())
        return ctx.state_keys()

    assert authored(code).output == []
