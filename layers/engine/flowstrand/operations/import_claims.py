"""Which imports have begun: a directory row while one goes on; what is left there was broken off and is to be repeated.

    @imports    {org}#{execution}

Of two imports under one id at once, with different content, only the first goes on.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Delete, Directory, Item, PreconditionFailed
from flowstrand.directory.scanning import every_item
from flowstrand.histories.history import refused
from flowstrand.log.port import LogKey

_PARTITION = "@imports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An import that has begun.

    Attributes:
        sha256: of the history; of a channel, which may grow between two exports, of its name among logs.
        since_ms: epoch milliseconds.
    """

    key: LogKey
    sha256: str
    since_ms: int


def find(directory: Directory, key: LogKey) -> Claim | None:
    """The claim on a log, if an import of it has begun and not ended."""
    item = directory.get(_PARTITION, str(key))
    return None if item is None else _parse(item)


def claim(directory: Directory, key: LogKey, sha256: str, now_ms: int) -> None:
    """Before the first commit is written.

    Raises:
        HistoryRefused: `HISTORY_CONFLICT`: an import of something else has begun.
    """
    try:
        directory.put(_PARTITION, str(key), {"sha256": sha256, "since": now_ms}, expect=0)
    except PreconditionFailed:
        standing = find(directory, key)
        if standing is None or standing.sha256 != sha256:
            raise refused(f"an import of another log under {key} has begun", code="HISTORY_CONFLICT") from None


def release(directory: Directory, key: LogKey) -> None:
    """The log is whole, and listed."""
    directory.delete(_PARTITION, str(key))


def releasing(key: LogKey) -> Delete:
    """The write that `release` is, to be done together with others."""
    return Delete(partition=_PARTITION, key=str(key))


def every(directory: Directory) -> Iterator[Claim]:
    """All that have begun and not ended."""
    return map(_parse, every_item(directory, _PARTITION))


def _parse(item: Item) -> Claim:
    since = item.data.get("since")
    return Claim(
        key=LogKey.parse(item.key),
        sha256=str(item.data.get("sha256")),
        since_ms=since if isinstance(since, int) else 0,
    )
