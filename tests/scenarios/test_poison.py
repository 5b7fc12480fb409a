"""Code that ends its process whenever it is run: the resumer's message fails and comes again, but not for ever."""

from __future__ import annotations

from typing import Any

from flowstrand.service import wakes
from tests.scenarios.transports import TRANSPORTS
from tests.scenarios.world import World


def redeliver(world: World) -> list[str]:
    """Deliver every message that is due, once, to a process of its own; returns which of them failed."""
    world.services.warm.clear()
    failed: list[str] = []
    for received in world.control.receive(10, 0):
        try:
            wakes.handle(world.services, received.message)
        except MemoryError:
            failed.append(received.receipt)
            world.control.release(received)
        else:
            world.control.acknowledge(received)
    return failed


def test_an_execution_that_ends_its_process_ten_times_fails(world: World) -> None:
    execution = world.start("runs-out-of-memory")
    world.settle()
    world.complete(world.claim("slow")["slow"])
    deaths = 0
    while failed := redeliver(world):
        deaths += len(failed)
    world.settle()
    assert deaths == world.services.settings.poison_turns
    snapshot: Any = world.get(execution)
    assert (snapshot["status"], snapshot["failureType"]) == ("FAILED", "POISON")
    types = "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED TASK_COMPLETED WORKFLOW_FAILED"
    for transport in TRANSPORTS:
        assert transport(world, execution) == list(enumerate(types.split(), start=1)), transport.__name__
