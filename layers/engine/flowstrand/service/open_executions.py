"""Which executions may still need a wake: a directory row written before sequence 1, removed when nobody needs it any more.

That is once the execution has ended, everyone has been told of that, and the projector knows of it, too. Whichever of the
last two comes second removes the row: the resumer marks one as told that the projector is still to see.

The sweep reads these rows. They are spread over shards, so that no partition holds all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item
from flowstrand.directory.scanning import every_item
from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey

SHARDS = 16
_COUNTED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenExecution:
    """A row.

    Attributes:
        since_ms: epoch milliseconds of when it was written first.
        is_told: whether the execution has ended and everyone has been told; only the projector still needs the row.
    """

    key: LogKey
    since_ms: int
    is_told: bool = False


def add(directory: Directory, key: LogKey, now_ms: int) -> None:
    """Before the execution's first commit."""
    directory.put(_partition(key), str(key), {"since": now_ms})


def mark_told(directory: Directory, row: OpenExecution) -> None:
    """The execution has ended, and everyone has been told: all that is left to do is to project its end."""
    data: JsonObject = {"since": row.since_ms, "told": True}
    directory.put(_partition(row.key), str(row.key), data)


def forget_told(directory: Directory, key: LogKey) -> None:
    """The end of the execution is projected: remove the row if everyone has been told, too."""
    row = find(directory, key)
    if row is not None and row.is_told:
        remove(directory, key)


def remove(directory: Directory, key: LogKey) -> None:
    """After the execution has ended, everyone has been told, and its end has been projected."""
    directory.delete(_partition(key), str(key))


def find(directory: Directory, key: LogKey) -> OpenExecution | None:
    """The row; None where nothing is left to do for the execution."""
    item = directory.get(_partition(key), str(key))
    return None if item is None else _parse(item)


def contains(directory: Directory, key: LogKey) -> bool:
    """Whether the execution may still need a wake: of one that has ended, whether anything is left to be told of that."""
    row = find(directory, key)
    return row is not None and not row.is_told


def every(directory: Directory) -> Iterator[tuple[LogKey, int]]:
    """Each execution that may still need a wake, with the epoch milliseconds of its row."""
    for row in rows(directory):
        if not row.is_told:
            yield row.key, row.since_ms


def rows(directory: Directory, *, first_shard: int = 0) -> Iterator[OpenExecution]:
    """Every row, from one of the shards on."""
    for shard in range(SHARDS):
        for item in every_item(directory, f"open#{(first_shard + shard) % SHARDS}"):
            yield _parse(item)


def rows_behind(directory: Directory, key: LogKey) -> Iterator[OpenExecution]:
    """Every row, beginning behind that of `key`, which need not be there any more, and ending with it."""
    own = _shard(key)
    for item in every_item(directory, f"open#{own}", after=str(key)):
        yield _parse(item)
    for shard in range(1, SHARDS):
        for item in every_item(directory, f"open#{(own + shard) % SHARDS}"):
            yield _parse(item)
    for item in every_item(directory, f"open#{own}"):
        if item.key > str(key):
            return
        yield _parse(item)


def count(directory: Directory, org: OrgId, limit: int) -> int:
    """How many open executions an org has; counts no further than `limit`."""
    found = 0
    for shard in range(SHARDS):
        after = f"{org}#"
        while found < limit and after:
            page = directory.scan(f"open#{shard}", after=after, limit=min(_COUNTED, limit - found))
            own = [_parse(item) for item in page if item.key.startswith(f"{org}#")]
            found += sum(not row.is_told for row in own)
            after = str(own[-1].key) if own and len(own) == len(page) else ""
    return found


def _partition(key: LogKey) -> str:
    return f"open#{_shard(key)}"


def _shard(key: LogKey) -> int:
    return zlib.crc32(str(key).encode()) % SHARDS


def _parse(item: Item) -> OpenExecution:
    since_ms = item.data["since"]
    return OpenExecution(
        key=LogKey.parse(item.key),
        since_ms=since_ms if isinstance(since_ms, int) else 0,
        is_told=bool(item.data.get("told")),
    )
