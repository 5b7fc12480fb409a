"""`LogInventory`: every commit of every log. For operators' tools: whoever runs workflows reads the logs that it is told of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from flowstrand.engine.ids import OrgId
from flowstrand.log.port import Commit, LogKey


class LogInventory(Protocol):
    """Reads all there is, which takes as long and costs as much as that."""

    def commits(self) -> Iterator[Commit]:
        """Every commit, without its checkpoint, in no order that means anything.

        One that is written meanwhile may be among them or not; of those that were there before, none is missing.

        Raises:
            StoreUnavailable: some may have been given.
        """
        ...

    def keys(self, org: OrgId) -> Iterator[LogKey]:
        """Every log of an org that begins with its first commit, once. Raises as `commits` does."""
        ...
