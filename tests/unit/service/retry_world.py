"""What tests of retries do: work that is done or fails, and code that is wrong until it is fixed."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.events import (
    ErrorInfo,
)
from flowstrand.engine.replay.driver import Driver
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import executions, retrying, tasks
from flowstrand.service.tasks import ClaimedTask
from tests.unit.service.service_world import ORG, ServiceWorld, work

HOUR_MS = 3_600_000


class Bug(Exception):
    """What the code raises that is deployed first."""


class Deployed:
    """What the newest code does; what has run."""

    is_fixed = False
    ran: list[str]


def claim(world: ServiceWorld, kind: str) -> list[ClaimedTask]:
    """Claim one task of a kind, whatever else was passed over before."""
    for envelope in world.mail.tasks:
        envelope.visible_at_ms = min(envelope.visible_at_ms, world.clock.now_ms())
    return world.claim(kind, limit=1)


def fail_task(world: ServiceWorld, kind: str = "work") -> None:
    [task] = claim(world, kind)
    tasks.fail(
        world.services,
        ORG,
        task.task_execution_id,
        lease_token=task.lease_token,
        error=ErrorInfo(type="ValueError", message="no"),
    )
    world.settle()


def do(world: ServiceWorld, kind: str = "work", output: JsonValue = "done") -> str:
    [task] = claim(world, kind)
    world.complete(task, output)
    world.settle()
    return task.task_execution_id


def retry(world: ServiceWorld, execution: str, **options: Any) -> str:
    retried = retrying.retry(world.services, ORG, execution, **options).snapshot.workflow_execution_id
    world.settle()
    return retried


def status(world: ServiceWorld, execution: str) -> str:
    return executions.get(world.services, ORG, execution).status.value


def output(world: ServiceWorld, execution: str) -> JsonValue:
    snapshot = executions.get(world.services, ORG, execution)
    assert snapshot.status == "COMPLETED", (snapshot.status, snapshot.error)
    return snapshot.output


async def two_tasks(driver: Driver, input: JsonValue) -> JsonValue:
    return [await work(driver, kind="first"), await work(driver, kind="second")]
