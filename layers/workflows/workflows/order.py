"""An order: two tasks in parallel, one of them retried, then a third."""

from __future__ import annotations

from pydantic import BaseModel

from flowstrand import WorkflowContext, workflow
from workflows.order_tasks import Order, Shipment, charge_card, reserve_stock, ship


class Receipt(BaseModel):
    """What the customer gets."""

    order_id: str
    charged_cents: int
    tracking_number: str


@workflow(name="order")
class PlaceOrder:
    """Reserve and charge at once, then ship."""

    async def run(self, ctx: WorkflowContext, order: Order = Order()) -> Receipt:  # noqa: B008 - it is frozen
        """Fulfil one order."""
        reservation, charge = await ctx.gather(
            ctx.schedule(reserve_stock, order),
            ctx.schedule(charge_card, order),
        )
        ctx.logger.info("order %s is paid", order.order_id)
        tracking_number = await ctx.schedule(ship, Shipment(order_id=order.order_id, reservation=reservation))
        return Receipt(order_id=order.order_id, charged_cents=charge.amount_cents, tracking_number=tracking_number)
