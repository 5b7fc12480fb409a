"""`Queue` and `PresentWorker`: where tasks wait, and who takes them, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowstrand.jsonvalue import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue and what holds for it.

    Attributes:
        state: ACTIVE or PAUSED.
        max_tasks_per_second: how many attempts begin in a second, on average; None for any number.
        max_concurrent: how many attempts run at the same time; None for any number.
        running: how many do; None where that is not counted.
        changed_at: when somebody last said so, RFC 3339.
        body: everything that the API says.
    """

    name: str
    state: str
    max_tasks_per_second: float | None
    max_concurrent: int | None
    running: int | None
    changed_at: str | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> Queue:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            name=said["queue"],
            state=said["state"],
            max_tasks_per_second=said.get("maxTasksPerSecond"),
            max_concurrent=said.get("maxConcurrent"),
            running=said.get("running"),
            changed_at=said.get("changedAt"),
            body=dict(body),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentWorker:
    """A worker that was heard of lately. Times are RFC 3339.

    Attributes:
        state: RUNNING, PAUSED, DRAINING or STOPPED.
        task_kinds: the tasks that it runs.
        body: everything that the API says.
    """

    id: str
    name: str
    state: str
    queues: tuple[str, ...]
    task_kinds: tuple[str, ...]
    registered_at: str
    last_seen_at: str
    version: str | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> PresentWorker:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            id=said["workerId"],
            name=said["name"],
            state=said["state"],
            queues=tuple(said["queues"]),
            task_kinds=tuple(said["taskKinds"]),
            registered_at=said["registeredAt"],
            last_seen_at=said["lastSeenAt"],
            version=said.get("version"),
            body=dict(body),
        )
