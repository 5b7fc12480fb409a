"""An order as a saga: whatever was done is undone, newest first, where a later step fails or the order is cancelled."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from flowstrand import App, NonRetryableError, RetryPolicy, TaskContext, WorkflowContext, task, workflow

PATIENT = RetryPolicy(max_attempts=5, initial=timedelta(seconds=1))


class Order(BaseModel):
    """What a customer wants."""

    id: str
    item: str
    quantity: int
    price_cents: int
    card: str


class Reservation(BaseModel):
    """Goods kept aside."""

    order_id: str
    warehouse: str


class Charge(BaseModel):
    """Money received."""

    id: str
    amount_cents: int


class Confirmation(BaseModel):
    """What the customer gets."""

    order_id: str
    paid_cents: int
    tracking_number: str


class CardDeclined(NonRetryableError):
    """The bank said no, and would say so again."""


@task(name="reserve-stock", retry=PATIENT)
async def reserve_stock(ctx: TaskContext, order: Order) -> Reservation:
    """Keep the goods aside."""
    return Reservation(order_id=order.id, warehouse="north")


@task(name="release-stock", retry=PATIENT)
async def release_stock(ctx: TaskContext, reservation: Reservation) -> None:
    """Put the goods back."""


@task(name="charge-card", retry=PATIENT)
async def charge_card(ctx: TaskContext, order: Order) -> Charge:
    """Take the money. The task's id is that of every attempt: given to the bank, it prevents a second charge."""
    if order.card == "declined":
        raise CardDeclined("insufficient funds")
    return Charge(id=ctx.task_execution_id, amount_cents=order.price_cents * order.quantity)


@task(name="refund", retry=PATIENT)
async def refund(ctx: TaskContext, charge: Charge) -> None:
    """Give the money back."""


@task(name="ship", retry=PATIENT)
async def ship(ctx: TaskContext, reservation: Reservation) -> str:
    """Hand the parcel over; returns its tracking number."""
    return f"TRACK-{reservation.order_id}"


@workflow(name="order-saga")
async def place_order(ctx: WorkflowContext, order: Order) -> Confirmation:
    """Reserve, charge, ship."""
    reservation = await ctx.schedule(reserve_stock, order)
    ctx.compensate(ctx.schedule, release_stock, reservation)

    charge = await ctx.schedule(charge_card, order)
    ctx.compensate(ctx.schedule, refund, charge)

    tracking_number = await ctx.schedule(ship, reservation)
    return Confirmation(order_id=order.id, paid_cents=charge.amount_cents, tracking_number=tracking_number)


app = App(workflows=[place_order], tasks=[reserve_stock, release_stock, charge_card, refund, ship])
