"""The test kit takes inputs and gives results of declared types, and its handles go wherever more general ones do."""

from __future__ import annotations

from typing import assert_type

from flowstrand import MapFailed
from flowstrand.testing import Environment, ExecutionHandle
from tests.typing.corpus.definitions import Order, Receipt, charge, child


async def length_of(execution: ExecutionHandle[object]) -> int:
    return len(await execution.events())


async def environment(env: Environment, order: Order) -> None:
    handle = await env.start(child, order)
    assert_type(handle, ExecutionHandle[Receipt])
    assert_type(await handle.result(), Receipt)
    assert_type(await env.start_and_wait(child, order), Receipt)
    await length_of(handle)


def of_a_failed_map(failed: MapFailed) -> list[int]:
    return sorted(failed.outcome.failures)


async def refused(env: Environment, order: Order) -> None:
    await env.start(child, "three")  # error: not an Order
    await env.start(charge, order)  # error: a task is no workflow
