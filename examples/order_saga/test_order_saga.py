"""The saga: what is undone, in which order, and what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examples.order_saga.app import Confirmation, Order, app, charge_card, place_order, ship
from flowstrand.errors import WorkflowCancelled, WorkflowFailed
from flowstrand.testing import Environment, ExecutionHandle

ORDER = Order(id="A-1", item="thread", quantity=3, price_cents=250, card="4242")


async def tasks_of(execution: ExecutionHandle[Confirmation]) -> list[str]:
    """The kinds of the tasks that the execution asked for, in order."""
    return [str(event.data["kind"]) for event in await execution.events() if event.type == "TASK_CREATED"]


async def test_an_order_is_reserved_charged_and_shipped() -> None:
    async with Environment(app=app) as env:
        assert await env.start_and_wait(place_order, ORDER) == Confirmation(
            order_id="A-1", paid_cents=750, tracking_number="TRACK-A-1"
        )


async def test_a_declined_card_releases_the_stock_and_refunds_nothing() -> None:
    async with Environment(app=app) as env:
        execution = await env.start(place_order, ORDER.model_copy(update={"card": "declined"}))
        with pytest.raises(WorkflowFailed, match="insufficient funds"):
            await execution.result()
        assert await tasks_of(execution) == ["reserve-stock", "charge-card", "release-stock"]


async def test_a_parcel_that_cannot_be_shipped_is_refunded_before_its_stock_is_released() -> None:
    async with Environment(app=app) as env:
        env.fail_next(ship, RuntimeError("no carrier"), times=5)
        execution = await env.start(place_order, ORDER)
        with pytest.raises(WorkflowFailed, match="no carrier"):
            await execution.result()
        assert (await tasks_of(execution))[-2:] == ["refund", "release-stock"]


async def test_a_bank_that_is_down_for_a_moment_is_asked_again() -> None:
    async with Environment(app=app) as env:
        env.fail_next(charge_card, ConnectionError("no answer"), times=2)
        assert (await env.start_and_wait(place_order, ORDER)).paid_cents == 750


async def test_an_order_cancelled_on_its_way_is_undone() -> None:
    async with Environment(app=app) as env:
        env.fake(ship, lambda: env.sleep(timedelta(days=1)))
        execution = await env.start(place_order, ORDER)
        await execution.cancel("the customer changed their mind")
        with pytest.raises(WorkflowCancelled, match="changed their mind"):
            await execution.result()
        assert (await tasks_of(execution))[-2:] == ["refund", "release-stock"]
        assert execution.status == "CANCELLED"
