"""`Directory`: small versioned items, for leases, inboxes, workers, definitions, keys and open executions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flowstrand.jsonvalue import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row. `version` counts its writes, from 1."""

    partition: str
    key: str
    data: JsonObject
    version: int


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

    def scan(self, partition: str, *, after: str = "", limit: int = 100) -> Sequence[Item]:
        """Items of one partition with a key beyond `after`, in key order, at most `limit`."""
        ...
