"""Fakes stand in for tasks, and what is to go wrong goes wrong, once; the logs end as they would have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from flowstrand import NonRetryableError, TaskContext, WorkflowContext, task, workflow
from flowstrand.client import HistoryEvent
from flowstrand.errors import ConfigurationError, WorkflowFailed
from flowstrand.testing import Environment
from tests.unit.testing.app import APP, Order, Receipt, charge, delivery, greeting, monthly, order, pair, ship

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["cold", "warm", "both"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[Environment]:
    async with Environment(app=APP, replay=request.param) as env:
        yield env


def types(events: list[HistoryEvent]) -> list[str]:
    return [event.type for event in events]


def of(events: list[HistoryEvent], type: str) -> list[dict[str, Any]]:
    return [event.data for event in events if event.type == type]


# --- fakes ------------------------------------------------------------------------------------------


async def test_a_fake_runs_instead_of_the_task_and_gets_values_of_the_tasks_types(env: Environment) -> None:
    given: list[object] = []

    def free(ctx: TaskContext, order: Order) -> Receipt:
        given.append(order)
        return Receipt(paid=0)

    env.fake(charge, free)
    assert await env.start_and_wait(order, Order(amount=3)) == Receipt(paid=0)
    assert given == [Order(amount=3)]


@pytest.mark.parametrize(
    "fake",
    [
        lambda: {"paid": 7},
        lambda ctx: Receipt(paid=6 + ctx.attempt),
        lambda ctx, order: Receipt(paid=6 + order.amount),
        Mock(return_value=Receipt(paid=7)),
        AsyncMock(return_value=Receipt(paid=7)),
        task(name="stand-in")(lambda ctx, order: {"paid": 7}),
    ],
    ids=["nothing", "context", "context and input", "mock", "async mock", "task"],
)
async def test_a_fake_may_be_any_callable_and_be_named_by_the_tasks_name(fake: Any) -> None:
    async with Environment(app=APP) as env:
        env.fake("charge", fake)
        assert await env.start_and_wait(order, Order(amount=1)) == Receipt(paid=7)


async def test_a_mock_is_called_with_the_context_and_the_input(env: Environment) -> None:
    fake = AsyncMock(return_value=Receipt(paid=1))
    env.fake(charge, fake)
    await env.start_and_wait(order, Order(amount=5))
    assert fake.await_args is not None
    ctx, given = fake.await_args.args
    assert (ctx.kind, ctx.attempt, ctx.max_attempts, given) == ("charge", 1, 4, Order(amount=5))


async def test_a_task_known_by_name_alone_can_be_faked() -> None:
    @workflow
    async def remote(ctx: WorkflowContext) -> object:
        return await ctx.schedule("elsewhere/translate", {"text": "hello"})

    async with Environment(workflows=[remote]) as env:
        env.fake("elsewhere/translate", lambda ctx, given: {**given, "text": "hallo"})
        assert await env.start_and_wait(remote) == {"text": "hallo"}


async def test_what_a_fake_returns_must_be_what_the_task_could_return(env: Environment) -> None:
    env.fake(charge, lambda: "not a receipt")
    with pytest.raises(WorkflowFailed, match="Receipt"):
        await env.start_and_wait(order, Order(amount=1))


async def test_a_faked_task_can_be_given_back(env: Environment) -> None:
    env.fake(charge, lambda: Receipt(paid=0))
    env.unfake("charge")
    assert await env.start_and_wait(order, Order(amount=3)) == Receipt(paid=3)


async def test_only_tasks_and_names_can_be_faked(env: Environment) -> None:
    with pytest.raises(ConfigurationError, match="neither"):
        env.fake(42, lambda: None)


# --- attempts that fail -----------------------------------------------------------------------------


async def test_the_next_attempts_fail_and_the_one_after_runs(env: Environment) -> None:
    env.fail_next("charge", ConnectionError("no route"), times=2)
    handle = await env.start(order, Order(amount=3))
    assert await handle.result() == Receipt(paid=3)
    failures = of(await handle.events(), "TASK_FAILED")
    assert [(data["attempt"], data["error"]["type"]) for data in failures] == [
        (1, "ConnectionError"),
        (2, "ConnectionError"),
    ]


async def test_a_failure_that_is_not_retryable_is_the_last(env: Environment) -> None:
    env.fail_next(charge, NonRetryableError("declined"))
    with pytest.raises(WorkflowFailed, match="declined"):
        await env.start_and_wait(order, Order(amount=3))


async def test_different_failures_come_in_the_order_in_which_they_were_planned(env: Environment) -> None:
    env.fail_next(charge, KeyError("first"))
    env.crash_next(charge)
    env.fail_next(charge, ValueError("third"))
    handle = await env.start(order, Order(amount=3))
    await handle.result()
    failures = [(data["error"]["type"], data["failureType"]) for data in of(await handle.events(), "TASK_FAILED")]
    assert [kind for kind, _ in failures][::2] == ["KeyError", "ValueError"]
    assert len({failure_type for _, failure_type in failures}) == 2


@pytest.mark.parametrize(("when", "runs"), [("before_run", 1), ("after_run", 2)])
async def test_a_worker_that_dies_loses_its_lease_and_the_task_is_tried_again(when: Any, runs: int) -> None:
    ran: list[int] = []
    async with Environment(app=APP) as env:
        env.fake(charge, lambda ctx: ran.append(ctx.attempt) or Receipt(paid=1))  # type: ignore[func-returns-value]  # append then return
        env.crash_next(charge, when=when)
        began = env.now
        handle = await env.start(order, Order(amount=3))
        assert await handle.result() == Receipt(paid=1)
        lost = of(await handle.events(), "TASK_FAILED")
        assert [data["attempt"] for data in lost] == [1]
        assert (env.now - began).total_seconds() >= 60
    assert len(ran) == runs
    assert ran[-1] == 2


# --- turns that die, wakes that stray -----------------------------------------------------------------


async def undisturbed(workflow: Any, input: Any) -> list[str]:
    async with Environment(app=APP) as env:
        handle = await env.start(workflow, input)
        await handle.result()
        return types(await handle.events())


@pytest.mark.parametrize("when", ["before_commit", "after_commit"])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_turn_that_dies_is_taken_up_again_and_nothing_is_recorded_twice(
    env: Environment, when: Any, times: int
) -> None:
    env.crash_next_turn(monthly, when=when, times=times)
    handle = await env.start(monthly, Order(amount=1))
    assert await handle.result() == "parcel worth 1"
    assert types(await handle.events()) == await undisturbed(monthly, Order(amount=1))


async def test_a_turn_of_another_workflow_does_not_die(env: Environment) -> None:
    env.crash_next_turn("delivery")
    began = env.now
    await env.start_and_wait(greeting)
    assert env.now == began
    await env.start_and_wait(delivery, 3)
    assert env.now > began


async def test_wakes_that_come_late_or_twice_change_nothing_but_the_time(env: Environment) -> None:
    env.delay_wakes(30, times=2)
    env.duplicate_wakes(copies=3, times=20)
    handle = await env.start(pair)
    assert handle.status == "PENDING"
    assert await handle.result() == ["parcel worth 1", "parcel worth 2"]
    assert types(await handle.events()) == await undisturbed(pair, None)


async def test_a_task_of_a_child_fails_like_any_other(env: Environment) -> None:
    env.fail_next(ship, TimeoutError("no carrier"))
    assert await env.start_and_wait(monthly, Order(amount=1)) == "parcel worth 1"
