"""The test kit takes inputs and gives results of declared types, and its handles go wherever more general ones do."""

from __future__ import annotations

from typing import assert_type

from flowstrand import MapFailed
from flowstrand.jsonvalue import JsonValue
from flowstrand.testing import Environment, ExecutionHandle
from tests.typing.corpus.definitions import AloneClass, ChildClass, Order, Receipt, charge, child


async def length_of(execution: ExecutionHandle[object]) -> int:
    return len(await execution.events())


async def environment(env: Environment, order: Order) -> None:
    handle = await env.start(child, order)
    assert_type(handle, ExecutionHandle[Receipt])
    assert_type(await handle.result(), Receipt)
    assert_type(await env.start_and_wait(child, order), Receipt)
    assert_type(await env.start(child, order, idempotency_key="k"), ExecutionHandle[Receipt])
    assert_type(await env.start(ChildClass, order, timeout=3), ExecutionHandle[Receipt])
    assert_type(await env.start("child"), ExecutionHandle[JsonValue])
    assert_type(await env.signal_with_start(child, "k", "go", 1, input=order), ExecutionHandle[Receipt])
    assert_type(await env.signal_with_start(AloneClass, "k", "go", queue="slow"), ExecutionHandle[str])
    await length_of(handle)


def of_a_failed_map(failed: MapFailed) -> list[int]:
    return sorted(failed.outcome.failures)


async def refused(env: Environment, order: Order) -> None:
    await env.start(child, "three")  # error: not an Order
    await env.start(charge, order)  # error: a task is no workflow
    await env.start(child, order, colour="red")  # error: no such option
    await env.signal_with_start(child, "k", "go")  # error: no input
