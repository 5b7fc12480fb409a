"""`Queue` and `PresentWorker`, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What holds for a queue. Times are RFC 3339.

    Attributes:
        state: ACTIVE or PAUSED.
        max_tasks_per_second, max_concurrent: None for any number.
        running: how many of its tasks run, where that is limited and the queue was asked for by its name.
        changed_at: when somebody last said what holds; None where nobody has.
        body: everything that the API says.
    """

    name: str
    state: str
    max_tasks_per_second: float | None
    max_concurrent: int | None
    running: int | None
    changed_at: str | None
    body: JsonObject

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
    """A worker that was heard of in the last minutes. Times are RFC 3339.

    Attributes:
        state: RUNNING, PAUSED, DRAINING or STOPPED.
        version: of its code, where it was given one.
        body: everything that the API says.
    """

    id: str
    name: str
    queues: tuple[str, ...]
    task_kinds: tuple[str, ...]
    state: str
    registered_at: str
    last_seen_at: str
    version: str | None
    body: JsonObject

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> PresentWorker:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            id=said["workerId"],
            name=said["name"],
            queues=tuple(said["queues"]),
            task_kinds=tuple(said["taskKinds"]),
            state=said["state"],
            registered_at=said["registeredAt"],
            last_seen_at=said["lastSeenAt"],
            version=said.get("version"),
            body=dict(body),
        )
