"""`PayloadInventory`: what is stored, and its removal. For operators' tools: whoever runs workflows has neither right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPayload:
    """A value that is stored.

    Attributes:
        size: bytes.
        version: another each time that the value is stored again.
    """

    org: OrgId
    sha256: str
    size: int
    version: str


class PayloadInventory(Protocol):
    """Every method raises `StoreUnavailable`."""

    def stored(self) -> Iterator[StoredPayload]:
        """Every value that is there, by org and SHA-256.

        Raises:
            ConfigurationError: the store does not tell one version of a value from the next.
        """
        ...

    def remove(self, payload: StoredPayload) -> None:
        """Delete a value in this version, and in no other: if it has been stored again meanwhile, it stays."""
        ...
