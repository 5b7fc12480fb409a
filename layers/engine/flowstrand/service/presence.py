"""Which workers there are: one row each in the directory, that goes by itself when nothing is heard of them any more.

    {org}#workers            {worker id}     the newest registration of one worker, and when it was last heard of

A poll says that its worker is there. It costs nothing but, about once a minute and process, a read and a write.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from enum import StrEnum

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item, PreconditionFailed
from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.clock import Clock

TTL_MS = 5 * 60_000
"""How long after it was last heard of a worker is still listed."""
SEEN_EVERY_MS = 60_000
"""How often, at most, a process writes that it has heard of a worker."""
_REMEMBERED = 10_000
_MAX_PAGE = 50


class WorkerState(StrEnum):
    """What a worker says it is doing."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    """It takes no tasks, and finishes those it has."""
    DRAINING = "DRAINING"
    """The same, and then it ends."""
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentWorker:
    """A worker as it is listed."""

    worker_id: str
    name: str
    queues: tuple[str, ...]
    task_kinds: tuple[str, ...]
    workflow_kinds: tuple[str, ...]
    state: WorkerState
    registered_at_ms: int
    last_seen_at_ms: int
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPage:
    """Workers by id; possibly none, with more to come where `next_after` is there."""

    workers: tuple[PresentWorker, ...]
    next_after: str | None


class Presence:
    """Who is there. Thread-safe."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: dict[tuple[OrgId, str], int] = {}

    def register(self, org: OrgId, worker: PresentWorker) -> None:
        """Remember a worker. One that was there before keeps the moment of its first registration."""
        known = self._directory.get(_partition(org), worker.worker_id)
        first_ms = _integer(known.data.get("registeredAtMs")) if known else worker.registered_at_ms
        self._put(org, worker.worker_id, {**_to_json(worker), "registeredAtMs": first_ms})
        self._remember(org, worker.worker_id)

    def heard_of(self, org: OrgId, worker_id: str, state: WorkerState | None = None) -> bool:
        """The worker is there; false where it has never registered, or so long ago that it was forgotten.

        Args:
            state: what it is doing, if it says so.
        """
        with self._lock:
            last_ms = self._heard.get((org, worker_id))
        now_ms = self._clock.now_ms()
        if state is None and last_ms is not None and now_ms - last_ms < SEEN_EVERY_MS:
            return True
        item = self._directory.get(_partition(org), worker_id)
        if item is None or _is_stale(item, now_ms):
            return False
        said: JsonObject = {} if state is None else {"state": state.value}
        with suppress(PreconditionFailed):  # somebody else has heard of it just now
            self._put(org, worker_id, {**item.data, **said, "lastSeenAtMs": now_ms}, expect=item.version)
        self._remember(org, worker_id)
        return True

    def list(self, org: OrgId, *, queue: str | None = None, after: str = "", limit: int = _MAX_PAGE) -> WorkerPage:
        """Workers with an id beyond `after` that were heard of lately, of one queue or of all."""
        items = self._directory.scan(_partition(org), after=after, limit=limit + 1)
        now_ms = self._clock.now_ms()
        present = (_of_json(item) for item in items[:limit] if not _is_stale(item, now_ms))
        return WorkerPage(
            workers=tuple(worker for worker in present if queue is None or queue in worker.queues),
            next_after=items[limit - 1].key if len(items) > limit else None,
        )

    def _put(self, org: OrgId, worker_id: str, data: JsonObject, *, expect: int | None = None) -> None:
        last_ms = _integer(data["lastSeenAtMs"])
        self._directory.put(_partition(org), worker_id, data, expect=expect, expires_at_ms=last_ms + TTL_MS)

    def _remember(self, org: OrgId, worker_id: str) -> None:
        with self._lock:
            self._heard.pop((org, worker_id), None)
            self._heard[org, worker_id] = self._clock.now_ms()
            while len(self._heard) > _REMEMBERED:
                del self._heard[next(iter(self._heard))]


def _is_stale(item: Item, now_ms: int) -> bool:
    return now_ms - _integer(item.data.get("lastSeenAtMs")) >= TTL_MS


def _to_json(worker: PresentWorker) -> JsonObject:
    said: JsonObject = {
        "name": worker.name,
        "queues": _list(worker.queues),
        "taskKinds": _list(worker.task_kinds),
        "workflowKinds": _list(worker.workflow_kinds),
        "state": worker.state.value,
        "registeredAtMs": worker.registered_at_ms,
        "lastSeenAtMs": worker.last_seen_at_ms,
    }
    return said if worker.version is None else said | {"version": worker.version}


def _of_json(item: Item) -> PresentWorker:
    version = item.data.get("version")
    return PresentWorker(
        worker_id=item.key,
        name=str(item.data["name"]),
        queues=_names(item.data["queues"]),
        task_kinds=_names(item.data["taskKinds"]),
        workflow_kinds=_names(item.data["workflowKinds"]),
        state=WorkerState(str(item.data["state"])),
        registered_at_ms=_integer(item.data["registeredAtMs"]),
        last_seen_at_ms=_integer(item.data["lastSeenAtMs"]),
        version=version if isinstance(version, str) else None,
    )


def _partition(org: OrgId) -> str:
    return f"{org}#workers"


def _list(names: tuple[str, ...]) -> list[JsonValue]:
    return list(names)


def _names(value: JsonValue) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def _integer(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0
