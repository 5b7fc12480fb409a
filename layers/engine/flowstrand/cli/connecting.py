"""A client for commands that talk to a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowstrand.client import SyncClient


PATIENCE_S = 5.0
"""A person is waiting: give up on a server that cannot be reached sooner than a program would."""


def connect(
    url: str | None, api_key: str | None, org: str | None, *, patience_s: float = PATIENCE_S
) -> SyncClient:
    """A client; what is None is taken from the environment.

    Raises:
        ConfigurationError: there is no API key.
    """
    from flowstrand.client import SyncClient

    return SyncClient(url, api_key, org, patience_s=patience_s)
