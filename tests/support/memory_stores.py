"""Stores in dictionaries: the rows of a log, the directory, the payloads. They outlive every process of a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from flowstrand.directory.port import Item, PreconditionFailed, Put, Write
from flowstrand.directory.together import require_sound
from flowstrand.engine.ids import OrgId
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import Commit, LogKey
from tests.support.port_call import PortCall, untouched


class Disk:
    """What is stored, whoever reads or writes it.

    Attributes:
        commits: each log's, in order.
        order: every commit in the order of its write, over all logs.
        lag: how many of a log's newest commits an eventually consistent read does not show.
        watch: called with every commit that is written.
    """

    def __init__(self) -> None:
        self.commits: dict[LogKey, list[Commit]] = {}
        self.order: list[Commit] = []
        self.items: dict[str, dict[str, tuple[str, int]]] = {}
        self.bodies: dict[tuple[OrgId, str], bytes] = {}
        self.lag = 0
        self.watch: Callable[[Commit], None] = lambda _: None

    def visible(self, key: LogKey, *, consistent: bool) -> list[Commit]:
        """The rows that a read of this kind finds."""
        rows = self.commits.get(key, [])
        return rows if consistent else rows[: max(0, len(rows) - self.lag)]


class MemoryRows:
    """`CommitRows` of a disk; `RowLog(MemoryRows(disk))` is an `EventLog`."""

    def __init__(self, disk: Disk, call: PortCall = untouched) -> None:
        self._disk = disk
        self._call = call

    def put(self, commit: Commit) -> str | None:
        return self._call("log.put", lambda: self._put(commit))

    def newest(self, key: LogKey, *, up_to: int | None, consistent: bool) -> Commit | None:
        return self._call("log.newest", lambda: self._newest(key, up_to, consistent=consistent))

    def following(self, key: LogKey, sequence: int, *, page: int | None, consistent: bool) -> Iterator[Commit]:
        found = self._call("log.following", lambda: self._following(key, sequence, consistent=consistent))
        return iter(found)

    def _put(self, commit: Commit) -> str | None:
        rows = self._disk.commits.setdefault(commit.key, [])
        for row in reversed(rows):
            if row.sequence == commit.sequence:
                return row.commit_id
            if row.sequence < commit.sequence:
                break
        rows.append(commit)
        rows.sort(key=lambda row: row.sequence)
        self._disk.order.append(commit)
        self._disk.watch(commit)
        return None

    def _newest(self, key: LogKey, up_to: int | None, *, consistent: bool) -> Commit | None:
        for row in reversed(self._disk.visible(key, consistent=consistent)):
            if up_to is None or row.sequence <= up_to:
                return row
        return None

    def _following(self, key: LogKey, sequence: int, *, consistent: bool) -> list[Commit]:
        rows = self._disk.visible(key, consistent=consistent)
        start = len(rows)
        while start and rows[start - 1].sequence > sequence:
            start -= 1
        return rows[start:]


class MemoryRetentionRows:
    """`RetentionRows` of a disk, which deletes what has expired at once, as a store may."""

    def __init__(self, disk: Disk, call: PortCall = untouched) -> None:
        self._disk = disk
        self._call = call

    def last(self, key: LogKey) -> int | None:
        rows = self._call("retention.last", lambda: self._disk.commits.get(key, []))
        return rows[-1].sequence if rows else None

    def unmarked_between(self, key: LogKey, last: int, limit: int) -> Sequence[int]:
        rows = self._call("retention.between", lambda: self._disk.commits[key])
        return [row.sequence for row in rows if 1 < row.sequence < last][:limit]

    def mark(self, key: LogKey, sequence: int, expires_at_ms: int) -> None:
        self._call("retention.mark", lambda: self._mark(key, sequence, expires_at_ms))

    def let_go(self, key: LogKey, sequence: int, now_ms: int) -> None:
        self._call("retention.let_go", lambda: self._keep(lambda row: (row.key, row.sequence) != (key, sequence)))

    def purge(self, now_ms: int) -> None:
        self._call("retention.purge", lambda: self._keep(lambda row: (row.expires_at_ms or now_ms + 1) > now_ms))

    def _mark(self, key: LogKey, sequence: int, expires_at_ms: int) -> None:
        self._disk.commits[key] = [
            replace(row, expires_at_ms=expires_at_ms)
            if row.sequence == sequence and row.expires_at_ms is None
            else row
            for row in self._disk.commits[key]
        ]

    def _keep(self, is_kept: Callable[[Commit], bool]) -> None:
        self._disk.commits = {
            key: [row for row in rows if is_kept(row)] for key, rows in self._disk.commits.items()
        }


class MemoryDirectory:
    """A `Directory`. Items are kept as text, so that nobody shares an object with what is stored."""

    def __init__(self, disk: Disk, call: PortCall = untouched) -> None:
        self._items = disk.items
        self._call = call

    def get(self, partition: str, key: str) -> Item | None:
        return self._call("directory.get", lambda: self._get(partition, key))

    def put(
        self,
        partition: str,
        key: str,
        data: JsonObject,
        *,
        expect: int | None = None,
        expires_at_ms: int | None = None,
    ) -> Item:
        return self._call("directory.put", lambda: self._put(partition, key, data, expect))

    def delete(self, partition: str, key: str, *, expect: int | None = None) -> None:
        self._call("directory.delete", lambda: self._delete(partition, key, expect))

    def get_many(self, names: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Item]:
        return self._call("directory.get_many", lambda: self._get_many(names))

    def delete_many(self, names: Collection[tuple[str, str]]) -> None:
        for name in names:
            self.delete(*name)

    def write_together(self, writes: Sequence[Write]) -> None:
        require_sound(writes)
        self._call("directory.write_together", lambda: self._write_together(writes))

    def scan(self, partition: str, *, after: str = "", limit: int = 100) -> Sequence[Item]:
        return self._call("directory.scan", lambda: self._scan(partition, after, limit))

    def _get(self, partition: str, key: str) -> Item | None:
        stored = self._items.get(partition, {}).get(key)
        if stored is None:
            return None
        return Item(partition=partition, key=key, data=json.loads(stored[0]), version=stored[1])

    def _get_many(self, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        found = {name: self._get(*name) for name in names}
        return {name: item for name, item in found.items() if item is not None}

    def _write_together(self, writes: Sequence[Write]) -> None:
        for write in writes:
            self._expected(write.partition, write.key, write.expect)
        for write in writes:
            if isinstance(write, Put):
                self._put(write.partition, write.key, write.data, write.expect)
            else:
                self._delete(write.partition, write.key, write.expect)

    def _put(self, partition: str, key: str, data: JsonObject, expect: int | None) -> Item:
        version = self._expected(partition, key, expect) + 1
        self._items.setdefault(partition, {})[key] = (json.dumps(data, allow_nan=False), version)
        return Item(partition=partition, key=key, data=data, version=version)

    def _delete(self, partition: str, key: str, expect: int | None) -> None:
        self._expected(partition, key, expect)
        self._items.get(partition, {}).pop(key, None)

    def _scan(self, partition: str, after: str, limit: int) -> list[Item]:
        keys = sorted(key for key in self._items.get(partition, {}) if key > after)[:limit]
        return [item for item in (self._get(partition, key) for key in keys) if item is not None]

    def _expected(self, partition: str, key: str, expect: int | None) -> int:
        version = self._items.get(partition, {}).get(key, ("", 0))[1]
        if expect is not None and expect != version:
            raise PreconditionFailed(f"{partition}/{key} is at version {version}, not {expect}")
        return version


class MemoryPayloads:
    """A `PayloadStore`."""

    def __init__(self, disk: Disk, call: PortCall = untouched) -> None:
        self._bodies = disk.bodies
        self._call = call

    def put(self, org: OrgId, sha256: str, body: bytes) -> None:
        self._call("payloads.put", lambda: self._bodies.__setitem__((org, sha256), body))

    def get(self, org: OrgId, sha256: str) -> bytes:
        return self._call("payloads.get", lambda: self._get(org, sha256))

    def size_of(self, org: OrgId, sha256: str) -> int | None:
        body = self._call("payloads.size_of", lambda: self._bodies.get((org, sha256)))
        return None if body is None else len(body)

    def _get(self, org: OrgId, sha256: str) -> bytes:
        try:
            return self._bodies[org, sha256]
        except KeyError as error:
            raise LogCorrupted(f"no payload {sha256}") from error
