"""What an order is made of, and the tasks that deal with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, Field

from flowstrand import RetryPolicy, TaskContext, task

QUICK = RetryPolicy(max_attempts=4, initial=timedelta(milliseconds=200), maximum=timedelta(seconds=1))
"""For services that are back in a moment."""


class Order(BaseModel, frozen=True):
    """What a customer wants."""

    order_id: str = "A-1001"
    item: str = "a spool of thread"
    quantity: int = Field(default=3, gt=0)
    unit_price_cents: int = Field(default=250, ge=0)

    @property
    def total_cents(self) -> int:
        """What it costs."""
        return self.quantity * self.unit_price_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Stock that is kept for an order."""

    warehouse: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Money received, and the attempt that received it."""

    charge_id: str
    amount_cents: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What to send, and from where."""

    order_id: str
    reservation: Reservation


@task(name="reserve-stock", retry=QUICK)
async def reserve_stock(_ctx: TaskContext, order: Order) -> Reservation:
    """Keep the goods."""
    return Reservation(warehouse="north", quantity=order.quantity)


@task(name="charge-card", retry=QUICK)
async def charge_card(ctx: TaskContext, order: Order) -> Charge:
    """Charge the card; the payment service fails twice before it answers, as they do.

    The task's id is the same for every attempt: given to the service, it keeps the customer from being charged twice.
    """
    if ctx.attempt <= 2:
        raise ConnectionError(f"the payment service did not answer (attempt {ctx.attempt})")
    return Charge(charge_id=ctx.task_execution_id, amount_cents=order.total_cents, attempt=ctx.attempt)


@task(name="ship", retry=QUICK)
def ship(_ctx: TaskContext, shipment: Shipment) -> str:
    """Send the goods; returns the tracking number. Not `async`: it runs in a thread."""
    return f"TRACK-{shipment.order_id}-{shipment.reservation.warehouse}"
