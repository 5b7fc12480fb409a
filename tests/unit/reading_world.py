"""`ReadingWorld`: one execution's log in memory, time that moves only by waiting, and a script of what happens when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flowstrand.engine.events import Event, EventData, EventType
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import LogCorrupted, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import pack_events, unpack_events
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.service.container import Services
from flowstrand.service.settings import Settings
from tests.unit.every_event import AT_MS, KEY, data_of


class MemoryLog:
    """An `EventLog` in a dictionary. `fails` counts reads that are still to fail; `skips` is a sequence it hides."""

    def __init__(self) -> None:
        self.commits: dict[LogKey, list[Commit]] = {}
        self.fails = 0
        self.skips: int | None = None
        self.reads = 0

    def append(self, commit: Commit) -> None:
        tail = self.tail(commit.key)
        if commit.sequence != (1 if tail is None else tail.last_sequence + 1):
            raise AppendConflict
        self.commits.setdefault(commit.key, []).append(commit)

    def tail(self, key: LogKey) -> Commit | None:
        self._read()
        return self.commits[key][-1] if key in self.commits else None

    def commit_at(self, key: LogKey, sequence: int) -> Commit | None:
        return next((c for c in self.commits.get(key, []) if c.sequence <= sequence <= c.last_sequence), None)

    def read(
        self, key: LogKey, *, after: int, limit: int | None = None, consistent: bool = True
    ) -> Sequence[Commit]:
        self._read()
        taken: list[Commit] = []
        for commit in self.commits.get(key, []):
            if commit.last_sequence > after and commit.sequence != self.skips:
                taken.append(commit)
                if limit is not None and commit.last_sequence - after >= limit:
                    break
        return taken

    def news(self, key: LogKey, *, after: int, limit: int, consistent: bool = False) -> Sequence[Commit]:
        return [commit for commit in self.read(key, after=after, limit=limit) if commit.sequence > after]

    def _read(self) -> None:
        self.reads += 1
        if self.fails > 0:
            self.fails -= 1
            raise StoreUnavailable("the store is away")


class MemoryPayloads:
    """A `PayloadStore` in a dictionary."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[OrgId, str], bytes] = {}

    def put(self, org: OrgId, sha256: str, body: bytes) -> None:
        self.bodies[org, sha256] = body

    def get(self, org: OrgId, sha256: str) -> bytes:
        try:
            return self.bodies[org, sha256]
        except KeyError as error:
            raise LogCorrupted(f"no payload {sha256}") from error

    def size_of(self, org: OrgId, sha256: str) -> int | None:
        body = self.bodies.get((org, sha256))
        return None if body is None else len(body)


class ReadingWorld:
    """`Services` for readers of `KEY`, and their clock and changes: waiting moves time and lets the script happen."""

    def __init__(self, **settings: int) -> None:
        self.log = MemoryLog()
        self.payloads = MemoryPayloads()
        self.now = AT_MS
        self.waits: list[float] = []
        self._script: list[tuple[int, Callable[[], None]]] = []
        unused: Any = None  # a reader reaches for nothing else
        self.services = Services(
            log=self.log,
            payloads=self.payloads,
            directory=unused,
            control=unused,
            tasks=unused,
            timers=unused,
            clock=self,
            random_bytes=unused,
            programs=unused,
            tokens=unused,
            changes=self,
            warm=unused,
            settings=Settings(**settings),
        )

    def now_ms(self) -> int:
        return self.now

    def sleep_ms(self, duration_ms: float) -> None:
        self.waits.append(duration_ms)
        self.now += max(1, round(duration_ms))
        due = [step for at_ms, step in self._script if at_ms <= self.now]
        self._script = [(at_ms, step) for at_ms, step in self._script if at_ms > self.now]
        for step in due:
            step()

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        assert key == KEY
        self.sleep_ms(timeout_ms)

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:
        self.sleep_ms(timeout_ms)
        return frozenset()

    def after_ms(self, delay_ms: int, step: Callable[[], None]) -> None:
        """Do `step` when somebody waits past `delay_ms` from now."""
        self._script.append((self.now + delay_ms, step))

    def write(self, *events: EventType | EventData, key: LogKey = KEY) -> None:
        """Append one commit."""
        commits = self.log.commits.get(key, [])
        data = [data_of(event) if isinstance(event, EventType) else event for event in events]
        self.log.append(
            Commit(
                key=key,
                sequence=commits[-1].last_sequence + 1 if commits else 1,
                count=len(data),
                events=pack_events(data),
                written_at_ms=self.now,
                commit_id=f"c{len(commits)}",
            )
        )

    def stored(self, value: JsonValue) -> PayloadRef:
        """A reference to `value` in the payload store."""
        body = json.dumps(value).encode()
        sha256 = hashlib.sha256(body).hexdigest()
        self.payloads.put(KEY.org, sha256, body)
        return PayloadRef(sha256, len(body))

    def events(self) -> list[Event]:
        """The whole log."""
        return [event for commit in self.log.commits[KEY] for event in unpack_events(commit)]


def failing_task(world: ReadingWorld) -> None:
    """The log of a workflow that catches a failing task: seven events in five commits."""
    world.write(EventType.WORKFLOW_STARTED)
    world.write(EventType.TASK_CREATED, EventType.WORKFLOW_SUSPENDED)
    world.write(EventType.TASK_STARTED)
    world.write(EventType.TASK_FAILED)
    world.write(EventType.WORKFLOW_RESUMED, EventType.WORKFLOW_COMPLETED)


def sequences(events: Sequence[Event]) -> list[int]:
    """Their places in the log."""
    return [event.sequence for event in events]
