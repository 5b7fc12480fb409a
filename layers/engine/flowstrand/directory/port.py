"""`Directory`: small versioned items, for leases, inboxes, workers, definitions, keys and open executions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject

MAX_TOGETHER = 100
"""How many items one `write_together` may write: DynamoDB's limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row. `version` counts its writes, from 1."""

    partition: str
    key: str
    data: JsonObject
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """One of several writes: what `Directory.put` takes."""

    partition: str
    key: str
    data: JsonObject
    expect: int | None = None
    expires_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """One of several writes: what `Directory.delete` takes."""

    partition: str
    key: str
    expect: int | None = None


Write: TypeAlias = Put | Delete


class PreconditionFailed(Exception):
    """The item is not at the version that the writer expected."""


class Directory(Protocol):
    """A key-value store with conditional writes; reads are strongly consistent. Raises `StoreUnavailable`."""

    def get(self, partition: str, key: str) -> Item | None:
        """The item, or None. An item past its `expires_at_ms` may or may not still be returned."""
        ...

    def put(
        self,
        partition: str,
        key: str,
        data: JsonObject,
        *,
        expect: int | None = None,
        expires_at_ms: int | None = None,
    ) -> Item:
        """Write the item.

        Args:
            expect: the version it must have now, 0 for "must not exist", None for "whatever it is".
            expires_at_ms: when the store may delete it by itself.

        Raises:
            PreconditionFailed: it is not at version `expect`.
        """
        ...

    def delete(self, partition: str, key: str, *, expect: int | None = None) -> None:
        """Remove the item; absent is success unless `expect` is given.

        Raises:
            PreconditionFailed: it is not at version `expect`.
        """
        ...

    def get_many(self, names: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Item]:
        """Those of the items that exist, by `(partition, key)`; each as `get` would show it, but not all at one moment."""
        ...

    def delete_many(self, names: Collection[tuple[str, str]]) -> None:
        """Remove the items, by `(partition, key)`, those that are there; not all at one moment.

        Raises:
            StoreUnavailable: some of them may be gone.
        """
        ...

    def write_together(self, writes: Sequence[Write]) -> None:
        """Do all of `writes` or none of them; nobody sees some done and others not. None is no write at all.

        Raises:
            PreconditionFailed: an item is not at the version that its write expects; nothing is written.
            PayloadTooLarge: an item is larger than one may be; nothing is written.
            ValueError: there are more than `MAX_TOGETHER`, or two for one item.
            StoreUnavailable: it may or may not have been done; the versions tell.
        """
        ...

    def scan(self, partition: str, *, after: str = "", limit: int = 100) -> Sequence[Item]:
        """Items of one partition with a key beyond `after`, in key order, at most `limit`."""
        ...
