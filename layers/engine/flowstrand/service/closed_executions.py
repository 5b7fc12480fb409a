"""Which executions have ended and when their logs are to expire: directory rows, for the janitor.

    closed#{shard}    {due, epoch milliseconds, 15 digits}#{org}#{execution}

A row is written before the execution's `open#` row is removed, so that each log is known to the sweep or to the janitor, or
to both, until it has expired.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory
from flowstrand.log.port import LogKey

SHARDS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """One row: a log, and when it is to be looked at."""

    key: LogKey
    due_ms: int

    @property
    def address(self) -> tuple[str, str]:
        """Partition and key."""
        return f"closed#{zlib.crc32(str(self.key).encode()) % SHARDS}", f"{self.due_ms:015d}#{self.key}"


def add(directory: Directory, closed: Closed) -> None:
    """Have the janitor look at a log. Repeating it changes nothing."""
    directory.put(*closed.address, {})


def remove(directory: Directory, closed: Closed) -> None:
    """It has been looked at."""
    directory.delete(*closed.address)


def due(directory: Directory, shard: int, now_ms: int, limit: int) -> Sequence[Closed]:
    """Rows of a shard that are due, the oldest first."""
    rows = (_parse(item.key) for item in directory.scan(f"closed#{shard}", limit=limit))
    return [row for row in rows if row.due_ms <= now_ms]


def _parse(key: str) -> Closed:
    due_ms, _, log = key.partition("#")
    return Closed(key=LogKey.parse(log), due_ms=int(due_ms))
