"""`PayloadTransfers`: URLs by which values go to and from the payload store, past the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A request that stores one value, and no other.

    Attributes:
        url: absolute, or a path of the server that gave it.
        headers: to be sent with it, as they are.
    """

    url: str
    method: str
    headers: Mapping[str, str]


class PayloadTransfers(Protocol):
    """Makes URLs. Whoever has one needs no other credential; each is for one value of one org, and for a while."""

    def upload(self, org: OrgId, sha256: str, size: int, *, expires_s: int) -> Upload:
        """How to store the value with this hex digest and this many bytes. Anything else is refused where it is sent."""
        ...

    def download(self, org: OrgId, sha256: str, *, expires_s: int) -> str:
        """The URL to GET a stored value from."""
        ...
