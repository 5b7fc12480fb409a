"""Which executions may still need a wake: a directory row written before sequence 1, removed after the end is told.

The sweep reads these rows. They are spread over shards, so that no partition holds all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from flowstrand.directory.port import Directory, Item
from flowstrand.engine.ids import OrgId
from flowstrand.log.port import LogKey

SHARDS = 16
_PAGE = 100
_COUNTED = 1_000


def add(directory: Directory, key: LogKey, now_ms: int) -> None:
    """Before the execution's first commit."""
    directory.put(_partition(key), str(key), {"since": now_ms})


def remove(directory: Directory, key: LogKey) -> None:
    """After the execution has ended and its parent has been told."""
    directory.delete(_partition(key), str(key))


def contains(directory: Directory, key: LogKey) -> bool:
    """Whether the execution may still need a wake: of one that has ended, whether anything is left to be told of that."""
    return directory.get(_partition(key), str(key)) is not None


def every(directory: Directory) -> Iterator[tuple[LogKey, int]]:
    """Each open execution, with the epoch milliseconds of its row."""
    for shard in range(SHARDS):
        for item in _scan(directory, f"open#{shard}"):
            since = item.data["since"]
            yield LogKey.parse(item.key), since if isinstance(since, int) else 0


def count(directory: Directory, org: OrgId, limit: int) -> int:
    """How many open executions an org has; counts no further than `limit`."""
    found = 0
    for shard in range(SHARDS):
        after = f"{org}#"
        while found < limit and after:
            page = directory.scan(f"open#{shard}", after=after, limit=min(_COUNTED, limit - found))
            own = [item.key for item in page if item.key.startswith(f"{org}#")]
            found += len(own)
            after = own[-1] if own and len(own) == len(page) else ""
    return found


def _scan(directory: Directory, partition: str) -> Iterator[Item]:
    after = ""
    while page := directory.scan(partition, after=after, limit=_PAGE):
        yield from page
        after = page[-1].key


def _partition(key: LogKey) -> str:
    return f"open#{zlib.crc32(str(key).encode()) % SHARDS}"
