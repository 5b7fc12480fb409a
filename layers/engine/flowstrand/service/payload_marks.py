"""Which stored values nobody seems to refer to: directory rows, written by whoever prunes the payload store.

    @unreferenced    {org}#{sha256}    {version, since, going}

A value goes only when it has had its mark for a while. Until then, whoever is about to refer to it from anew moves the mark
to now; afterwards the mark says that it is going. Both are writes at the version of the row that was read, so that only one of
them succeeds. What is going may go at any time, or never, if whoever prunes has died. Only the version that was seen goes: who
needs the value nevertheless stores it again, and then takes the mark's word back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item, PreconditionFailed
from flowstrand.directory.scanning import every_item
from flowstrand.engine.ids import OrgId

GRACE_MS = 7 * 86_400_000
"""How long a value has its mark before it may go. Longer than anything takes that has read a reference and is to write it."""

_PARTITION = "@unreferenced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A row.

    Attributes:
        payload: the version of the value that was seen; empty where it has been stored again since.
        since_ms: epoch milliseconds.
        is_going: whether it is being deleted.
        row_version: of the row.
    """

    org: OrgId
    sha256: str
    payload: str
    since_ms: int
    is_going: bool = False
    row_version: int = 0


def every(directory: Directory) -> Iterator[Mark]:
    """All marks."""
    return map(_parse, every_item(directory, _PARTITION))


def hold(directory: Directory, org: OrgId, sha256: str, now_ms: int) -> bool:
    """Whether a stored value may be referred to as it is. It keeps for a while from now, then. False: it may be gone at any time.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    while (item := directory.get(_PARTITION, f"{org}#{sha256}")) is not None:
        mark = _parse(item)
        if mark.is_going:
            return False
        try:
            _write(directory, mark, since_ms=now_ms, is_going=False)
        except PreconditionFailed:
            continue
        break
    return True


def add(directory: Directory, mark: Mark) -> None:
    """Nobody seems to refer to a value, or to this version of it.

    Raises:
        PreconditionFailed: the mark is another by now.
    """
    _write(directory, mark, since_ms=mark.since_ms, is_going=False)


def condemn(directory: Directory, mark: Mark) -> bool:
    """Say that a value is going; whether it may, or has been held since its mark was read."""
    try:
        _write(directory, mark, since_ms=mark.since_ms, is_going=True)
    except PreconditionFailed:
        return False
    return True


def lift(directory: Directory, org: OrgId, sha256: str, now_ms: int) -> None:
    """A value that was going has been stored again: in that version, it keeps for a while from now."""
    item = directory.get(_PARTITION, f"{org}#{sha256}")
    if item is None or not (mark := _parse(item)).is_going:
        return
    with suppress(PreconditionFailed):  # somebody else has, or it has gone in the version that was seen
        _write(directory, replace(mark, payload=""), since_ms=now_ms, is_going=False)


def remove(directory: Directory, mark: Mark) -> None:
    """The value is referred to, or gone."""
    directory.delete(_PARTITION, f"{mark.org}#{mark.sha256}")


def _write(directory: Directory, mark: Mark, *, since_ms: int, is_going: bool) -> None:
    directory.put(
        _PARTITION,
        f"{mark.org}#{mark.sha256}",
        {"version": mark.payload, "since": since_ms, "going": is_going},
        expect=mark.row_version,
    )


def _parse(item: Item) -> Mark:
    org, _, sha256 = item.key.partition("#")
    since = item.data["since"]
    return Mark(
        org=OrgId(org),
        sha256=sha256,
        payload=str(item.data["version"]),
        since_ms=since if isinstance(since, int) else 0,
        is_going=bool(item.data["going"]),
        row_version=item.version,
    )
