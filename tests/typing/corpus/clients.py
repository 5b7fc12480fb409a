"""Both clients take inputs and give results of the types that a workflow definition declares."""

from __future__ import annotations

from typing import Any, assert_type

from flowstrand.client import Client, Handle, SyncClient, SyncHandle
from tests.typing.corpus.definitions import AloneClass, ChildClass, Order, Receipt, alone, charge, child


async def asynchronous(client: Client, order: Order) -> None:
    handle = await client.start(child, order, queue="slow", metadata={"a": 1})
    assert_type(handle, Handle[Receipt])
    assert_type(await handle.result(timeout=1), Receipt)
    assert_type(await (await client.start(alone)).result(), list[float])
    assert_type(await client.start(ChildClass, order), Handle[Receipt])
    assert_type(await client.start(AloneClass), Handle[str])
    assert_type(await client.start("child", {"amount": 1}), Handle[Any])
    assert_type(await client.start_and_wait(child, order, timeout=3), Receipt)
    assert_type(await client.start_and_wait(alone), list[float])
    assert_type(await client.start_and_wait(ChildClass, order), Receipt)
    assert_type(await client.start_and_wait(AloneClass, queue="slow"), str)
    assert_type(await client.start_and_wait("child"), Any)
    assert_type(await client.signal_with_start(child, "k", "go", 1, input=order), Handle[Receipt])
    assert_type(await client.signal_with_start(AloneClass, "k", "go", queue="slow"), Handle[str])
    assert_type(client.handle("id"), Handle[Any])
    assert_type(client.handle("id", child), Handle[Receipt])
    assert_type(client.handle("id", ChildClass), Handle[Receipt])


def synchronous(client: SyncClient, order: Order) -> None:
    handle = client.start(child, order, version="2")
    assert_type(handle, SyncHandle[Receipt])
    assert_type(handle.result(), Receipt)
    assert_type(client.start(alone), SyncHandle[list[float]])
    assert_type(client.start(ChildClass, order), SyncHandle[Receipt])
    assert_type(client.start(AloneClass), SyncHandle[str])
    assert_type(client.start("child"), SyncHandle[Any])
    assert_type(client.start_and_wait(child, order), Receipt)
    assert_type(client.start_and_wait(AloneClass, timeout=2), str)
    assert_type(client.start_and_wait("child", order), Any)
    assert_type(client.signal_with_start(ChildClass, "k", "go", input=order), SyncHandle[Receipt])
    assert_type(client.signal_with_start("child", "k", "go"), SyncHandle[Any])
    assert_type(client.handle("id", alone), SyncHandle[list[float]])


async def refused(client: Client, order: Order) -> int:
    await client.start(child, "three")  # error: not an Order
    await client.start(child)  # error: no input
    await client.start(ChildClass, 3)  # error: not an Order
    await client.start(charge, order)  # error: a task is no workflow
    await client.start(child, order, colour="red")  # error: no such option
    await client.start_and_wait(child, 3)  # error: not an Order
    await client.signal_with_start(child, "k", "go", input=3)  # error: not an Order
    await client.signal_with_start(child, "k", "go")  # error: no input
    result: int = await client.start_and_wait(child, order)  # error: a Receipt
    return result


def refused_synchronously(client: SyncClient, order: Order) -> int:
    client.start(child, "three")  # error: not an Order
    client.start_and_wait(charge, order)  # error: a task is no workflow
    result: int = client.start(child, order).result()  # error: a Receipt
    return result
