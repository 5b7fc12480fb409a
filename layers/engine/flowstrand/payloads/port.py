"""`PayloadStore`: content-addressed storage for values over 8 KB."""

from __future__ import annotations

from typing import Protocol

from flowstrand.engine.ids import OrgId


class PayloadStore(Protocol):
    """Values by org and SHA-256. Writing the same value twice is one value. Raises `StoreUnavailable`."""

    def put(self, org: OrgId, sha256: str, body: bytes) -> None:
        """Store `body`, whose hex digest is `sha256`; returns when it is durable."""
        ...

    def get(self, org: OrgId, sha256: str) -> bytes:
        """The stored value, its digest verified.

        Raises:
            LogCorrupted: nothing is stored there, or it does not match its digest.
        """
        ...

    def size_of(self, org: OrgId, sha256: str) -> int | None:
        """How many bytes are stored there; None for nothing."""
        ...
