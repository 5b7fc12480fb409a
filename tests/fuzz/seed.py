"""A world to fuzz: executions in every state, tasks that are claimed, promises, schedules, and whose they are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.local.stores import DATABASE
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.service import keys
from flowstrand.service.clock import SystemClock
from tests.fuzz.server import Server

ORG = "dev"
STRANGERS = "strangers"
_EACH = 12
"""How many of each kind: reports and cancels use some up."""
_KINDS = (
    "waits-for-a-task",
    "waits-for-a-promise",
    "waits-for-a-signal",
    "ends-at-once",
    "fails-at-once",
    "has-a-child",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """What there is.

    Attributes:
        leases: the token of each claimed task of an execution.
        tasks: standalone ones.
        stranger_key: opens another org, in which there is nothing.
    """

    kinds: list[str] = field(default_factory=lambda: [*_KINDS])
    executions: list[str]
    leases: dict[str, str]
    tasks: list[str]
    promises: list[str]
    schedules: list[str]
    channels: list[str]
    stranger_key: str

    def write(self, file: Path) -> None:
        """As JSON."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")


def sow(server: Server) -> Seeds:
    """Make the world, over the API."""
    with httpx2.Client(
        base_url=server.url,
        headers={"Authorization": f"Bearer {server.api_key}"},
        timeout=30.0,
    ) as client:
        executions = [_start(client, kind, number) for number in range(_EACH) for kind in _KINDS]
        promises = [f"{execution}.p1" for execution in executions[1 :: len(_KINDS)]]
        return Seeds(
            executions=executions,
            leases=_claim(client),
            tasks=[_start_task(client, number) for number in range(_EACH)],
            promises=promises,
            schedules=[_schedule(client, number) for number in range(_EACH)],
            channels=[_channel(client, number) for number in range(_EACH)],
            stranger_key=_key_of_strangers(server),
        )


def _start(client: httpx2.Client, kind: str, number: int) -> str:
    body = {"kind": kind, "input": {"number": number}, "idempotencyKey": f"{kind}-{number}"}
    return str(_post(client, "/workflow-executions", body)["workflowExecutionId"])


def _start_task(client: httpx2.Client, number: int) -> str:
    body = {"kind": "work", "input": number}
    return str(_post(client, "/task-executions", body)["taskExecutionId"])


def _claim(client: httpx2.Client) -> dict[str, str]:
    """Half of the tasks are claimed; the others are left for whoever polls."""
    body = {"name": "seed", "workerId": "seed", "taskKinds": ["work"]}
    _post(client, "/workers", body)
    leases: dict[str, str] = {}
    for _ in range(50):
        claimed = _post(client, "/queues/default/poll", {"workerId": "seed", "kinds": ["work"], "max": 1})["tasks"]
        leases |= {task["taskExecutionId"]: task["leaseToken"] for task in claimed}
        if len(leases) >= _EACH // 2:
            break
    return leases


def _schedule(client: httpx2.Client, number: int) -> str:
    body = {"scheduleId": f"s-{number}", "cron": "0 2 * * *", "kind": "ends-at-once"}
    return str(_post(client, "/schedules", body)["scheduleId"])


def _channel(client: httpx2.Client, number: int) -> str:
    """Some are closed, as often as others are not."""
    name = f"c:{number}"
    headers = {"Content-Type": "application/json", "Stream-Closed": str(bool(number % 2)).lower()}
    client.put(f"/v1/stream/orgs/{ORG}/channels/{name}", content=b"[1, 2]", headers=headers).raise_for_status()
    return name


def _key_of_strangers(server: Server) -> str:
    database = SqliteDatabase(server.data / DATABASE)
    try:
        principals = [principal.value for principal in keys.Principal]
        return keys.create(SqliteDirectory(database), STRANGERS, principals, now_ms=SystemClock().now_ms())
    finally:
        database.close()


def _post(client: httpx2.Client, path: str, body: Any) -> Any:
    response = client.post(f"/api/orgs/{ORG}{path}", json=body)
    response.raise_for_status()
    return response.json()
