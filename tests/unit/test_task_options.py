"""Task options: what may be said, where it is said, and what of it is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flowstrand import InvalidDefinition, RetryPolicy, TaskContext, WorkflowContext, task, workflow
from flowstrand.engine.replay.commands import TaskTerms
from flowstrand.sdk.task_options import TaskOptions
from tests.unit.sdk_world import Strand


@task(
    retry=RetryPolicy(max_attempts=2, non_retryable=[KeyError]),
    timeout=timedelta(hours=1),
    start_to_close=30,
    heartbeat_timeout=5,
    queue="slow",
    priority=3,
)
async def declared(_ctx: TaskContext) -> None:
    """A task that says everything."""


@task
async def plain(_ctx: TaskContext) -> None:
    """A task that says nothing."""


DECLARED = TaskTerms(timeout_ms=3_600_000, start_to_close_ms=30_000, heartbeat_timeout_ms=5_000, priority=3)


# --- where it is said ---------------------------------------------------------------------------


def test_what_the_declaration_says_is_asked_for() -> None:
    @workflow
    async def asks(ctx: WorkflowContext) -> None:
        await ctx.schedule(declared)

    asked = Strand(asks).task(1)
    assert (asked.terms, asked.queue) == (DECLARED, "slow")
    assert (asked.retry.max_retries, asked.retry.non_retryable) == (1, ("KeyError",))


def test_what_the_call_says_wins_and_the_rest_stays_as_declared() -> None:
    @workflow
    async def asks(ctx: WorkflowContext) -> None:
        await ctx.schedule_async(declared, timeout=2, priority=-1)

    asked = Strand(asks).task(1)
    assert (asked.terms.timeout_ms, asked.terms.priority) == (2_000, -1)
    assert (asked.terms.start_to_close_ms, asked.terms.heartbeat_timeout_ms) == (30_000, 5_000)
    assert (asked.queue, asked.retry.max_retries) == ("slow", 1)


def test_a_task_by_name_takes_the_same_options() -> None:
    @workflow
    async def asks(ctx: WorkflowContext) -> None:
        await ctx.schedule("elsewhere", start_to_close=0.5)

    assert Strand(asks).task(1).terms == TaskTerms(start_to_close_ms=500)


def test_what_nobody_says_is_not_recorded() -> None:
    @workflow
    async def asks(ctx: WorkflowContext) -> None:
        await ctx.schedule(plain, priority=0)

    asked = Strand(asks).task(1)
    assert asked.terms == TaskTerms()
    assert asked.retry.non_retryable is None


def test_a_priority_of_zero_at_the_call_undoes_the_declared_one() -> None:
    @workflow
    async def asks(ctx: WorkflowContext) -> None:
        await ctx.schedule(declared, priority=0)

    assert Strand(asks).task(1).terms.priority is None


def test_a_child_may_have_a_timeout() -> None:
    @workflow
    async def asks(ctx: WorkflowContext) -> None:
        ctx.schedule_workflow("child", timeout=timedelta(minutes=1))
        await ctx.schedule_workflow("child")

    strand = Strand(asks)
    assert (strand.child(1).timeout_ms, strand.child(2).timeout_ms) == (60_000, None)


# --- what may be said ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": "soon"},
        {"start_to_close": 0},
        {"start_to_close": float("inf")},
        {"heartbeat_timeout": 0.999},
        {"heartbeat_timeout": timedelta(0)},
        {"priority": 1.5},
        {"priority": True},
        {"queue": "a/b"},
    ],
    ids=str,
)
def test_what_is_out_of_range_is_refused_where_it_is_said(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidDefinition):
        task(**options)(_code)
    [name] = options
    with pytest.raises(InvalidDefinition, match=f"{name}|queue"):
        TaskOptions(**options)


def test_an_option_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="retries"):
        task(retries=3)(_code)  # type: ignore[call-overload]  # the point


@pytest.mark.parametrize("bad", [KeyError, "KeyError", [3], [int], [""]], ids=str)
def test_errors_that_are_not_worth_a_retry_are_classes_or_names(bad: Any) -> None:
    with pytest.raises(InvalidDefinition, match="non_retryable"):
        RetryPolicy(non_retryable=bad)


def test_classes_are_recorded_by_name_once_and_in_order() -> None:
    policy = RetryPolicy(non_retryable=(ValueError, "CardDeclined", "ValueError"))
    assert policy.engine().non_retryable == ("CardDeclined", "ValueError")


def test_a_child_without_time_is_refused() -> None:
    @workflow
    async def asks(ctx: WorkflowContext) -> None:
        await ctx.schedule_workflow("child", timeout=0)

    assert "InvalidDefinition" in str(Strand(asks).outcome)


async def _code(_ctx: TaskContext) -> None:
    """Code to be declared."""
