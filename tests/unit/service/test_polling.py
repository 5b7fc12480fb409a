"""A poll never spins: whatever its queue does, it asks once for each time that it has waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import TaskMessage
from flowstrand.queues.port import ReceivedTask
from flowstrand.service import polling, queue_limits
from flowstrand.service.container import Services
from flowstrand.service.queue_controls import Change
from tests.unit.service.service_world import ORG, ServiceWorld, work


class CountedTasks:
    """A task queue that answers at once, whatever wait it is asked for."""

    def __init__(self, inner: Any, *, waits: bool, clock: Any) -> None:
        self._inner = inner
        self._waits = waits
        self._clock = clock
        self.receives = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def receive(self, org: OrgId, queue: str, *, limit: int, wait_s: float) -> Sequence[ReceivedTask]:
        self.receives += 1
        found: Sequence[ReceivedTask] = self._inner.receive(org, queue, limit=limit, wait_s=wait_s)
        if not found and self._waits:
            self._clock.advance(round(wait_s * 1_000))
        return found


def counted(world: ServiceWorld, *, waits: bool = True) -> tuple[Services, CountedTasks]:
    tasks: Any = CountedTasks(world.services.tasks, waits=waits, clock=world.clock)
    return replace(world.services, tasks=tasks), tasks


def poll(services: Services, wait_s: float = 20, kinds: Sequence[str] = ("work",)) -> polling.Polled:
    return polling.poll(services, ORG, "default", worker_id="w", kinds=kinds, limit=10, wait_s=wait_s)


@pytest.mark.parametrize("waits", [True, False])
def test_an_empty_queue_is_asked_once(waits: bool) -> None:
    services, tasks = counted(ServiceWorld(), waits=waits)

    assert poll(services) == polling.Polled()
    assert tasks.receives == 1


def test_a_message_for_another_worker_is_passed_over_once() -> None:
    async def code(driver: Any, _: JsonValue) -> JsonValue:
        done: JsonValue = await work(driver, kind="another")
        return done

    world = ServiceWorld()
    world.begin(code)
    services, tasks = counted(world)

    assert poll(services).tasks == ()
    assert tasks.receives == 2


def test_a_paused_queue_is_not_asked_at_all_and_its_row_twice_a_second() -> None:
    world = ServiceWorld()
    services, tasks = counted(world)
    services.queues.change(ORG, "default", Change(is_paused=True))
    world.seam.calls.clear()

    assert poll(services, wait_s=20).is_paused
    assert tasks.receives == 0
    assert world.seam.calls.count("directory.get") <= 41


def test_a_queue_at_its_limit_is_not_asked_before_there_is_room() -> None:
    async def code(driver: Any, _: JsonValue) -> JsonValue:
        handles = [work(driver), work(driver)]
        return [await handle for handle in handles]

    world = ServiceWorld()
    world.begin(code)
    services, tasks = counted(world)
    services.queues.change(ORG, "default", Change(max_tasks_per_second=0.1))

    assert len(poll(services).tasks) == 1
    assert len(poll(services).tasks) == 1
    assert tasks.receives == 2


def test_an_unlimited_queue_pays_for_no_more_than_a_look_every_two_seconds() -> None:
    world = ServiceWorld()
    services, _ = counted(world, waits=False)
    for _ in range(50):
        poll(services, wait_s=0)
        world.clock.advance(100)

    assert world.seam.calls.count("directory.get") <= 3
    assert not [call for call in world.seam.calls if call in {"directory.put", "directory.delete"}]


def test_a_message_that_may_not_begin_is_given_back_until_it_may() -> None:
    world = ServiceWorld()
    message = TaskMessage(org=ORG, execution_id=world.start(_one), position=1, attempt=1, kind="work")  # type: ignore[arg-type]  # an id is a string
    world.settle()
    services, _ = counted(world)
    services.queues.change(ORG, "default", Change(max_concurrent=1))

    assert queue_limits.admit(services, ORG, "default", [replace(message, position=9)]).room == 1

    assert poll(services, wait_s=1).tasks == ()
    world.clock.advance(services.settings.lease_ms)

    assert len(poll(services).tasks) == 1


async def _one(driver: Any, _: JsonValue) -> JsonValue:
    done: JsonValue = await work(driver)
    return done
