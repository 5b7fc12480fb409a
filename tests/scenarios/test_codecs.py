"""An app with payload codecs: its code sees plain values, its log holds none, and a missing key loses nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from flowstrand import App, CodecFailed, Compression, TaskContext, WorkflowContext, task, workflow
from flowstrand.service.container import install
from flowstrand.service.strand import open_strand
from tests.scenarios.world import World

SECRET = "4111-1111"


@dataclass
class Order:
    card: str
    amount: int


@task
async def pay(_ctx: TaskContext, order: Order) -> Order:
    return order


@workflow
async def ship(_ctx: WorkflowContext, order: Order) -> Order:
    return order


def receipt(card: str) -> dict[str, str]:
    return {"paid by": card}


@workflow
async def buy(ctx: WorkflowContext, order: Order) -> list[Any]:
    ctx.set("card", order.card)
    paid = await ctx.schedule(pay, order)
    note = await ctx.run("receipt", receipt, paid.card)
    shipped = await ctx.schedule_workflow(ship, paid)
    return [note, shipped, ctx.get("card")]


class Sealed:
    """Encryption as far as these tests can tell: never the same twice, and nothing without the key."""

    name = "sealed"

    def __init__(self, key: int) -> None:
        self._key = key

    def encode(self, data: bytes, /) -> bytes:
        nonce = os.urandom(1)
        return nonce + bytes(byte ^ nonce[0] ^ self._key for byte in b"ok" + data)

    def decode(self, data: bytes, /) -> bytes:
        plain = bytes(byte ^ data[0] ^ self._key for byte in data[1:])
        if not plain.startswith(b"ok"):
            raise ValueError("the key is wrong")
        return plain.removeprefix(b"ok")


def app(key: int) -> App:
    return App(workflows=[buy, ship], tasks=[pay], codec=[Compression(), Sealed(key)])


APP = app(7)


@pytest.fixture
def host(world: World) -> Iterator[Callable[[App], None]]:
    """Makes another app what the stack runs, as a deployment does."""
    undo: list[Callable[[], None]] = []

    def deploy(hosted: App) -> None:
        world.services.warm.clear()
        world.services = replace(world.services, programs=hosted)
        undo.append(install(world.services))

    deploy(APP)
    yield deploy
    for uninstall in reversed(undo):
        uninstall()


def start(world: World) -> str:
    execution = world.start("buy", APP.payloads.to_wire({"card": SECRET, "amount": 3}))
    world.settle()
    return execution


def pay_for_it(world: World) -> Any:
    claimed = world.claim("pay")["pay"]
    order = APP.payloads.from_wire(claimed["input"])
    world.complete(claimed, APP.payloads.to_wire(order))
    return order


@pytest.mark.usefixtures("host")
def test_code_tasks_and_children_see_plain_values_and_the_log_holds_none(world: World) -> None:
    execution = start(world)
    assert pay_for_it(world) == {"card": SECRET, "amount": 3}
    world.settle()

    snapshot = world.get(execution)
    assert snapshot["status"] == "COMPLETED"
    order = {"card": SECRET, "amount": 3}
    assert APP.payloads.from_wire(snapshot["output"]) == [{"paid by": SECRET}, order, SECRET]
    history = world.request("GET", f"/workflow-executions/{execution}/events", limit="1000").body["events"]
    assert SECRET not in str(history)
    assert {"TASK_COMPLETED", "OPERATION_COMPLETED", "STATE_SET", "CHILD_WORKFLOW_COMPLETED"} <= {
        event["type"] for event in history
    }


def test_without_the_right_key_nothing_is_recorded_and_with_it_all_goes_on(
    world: World, host: Callable[[App], None]
) -> None:
    execution = start(world)
    pay_for_it(world)
    before = world.get(execution)["currentSequence"]

    host(app(8))
    with pytest.raises(AssertionError):  # not every message was handled; this one will come again
        world.settle()
    strand = open_strand(world.services, world.key(execution))
    assert strand is not None
    with pytest.raises(CodecFailed, match="the key is wrong"):
        strand.deliver()
    assert world.get(execution)["currentSequence"] == before

    host(APP)
    world.jump(60)
    assert world.get(execution)["status"] == "COMPLETED"
