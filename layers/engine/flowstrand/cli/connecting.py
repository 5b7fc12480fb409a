"""Options of every command that talks to a server."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from flowstrand.client import SyncClient

Url: TypeAlias = Annotated[
    str | None, typer.Option(envvar="FLOWSTRAND_URL", help="Of the server.", show_default="http://127.0.0.1:8080")
]
ApiKey: TypeAlias = Annotated[
    str | None, typer.Option(envvar="FLOWSTRAND_API_KEY", help="Of the org; better in the environment.")
]
Org: TypeAlias = Annotated[
    str | None, typer.Option(envvar="FLOWSTRAND_ORG", help="Whose executions are meant.", show_default="dev")
]

_PATIENCE_S = 5.0
"""A person is waiting: give up on a server that cannot be reached sooner than a program would."""


def connect(url: str | None, api_key: str | None, org: str | None) -> SyncClient:
    """A client.

    Raises:
        ConfigurationError: there is no API key.
    """
    return SyncClient(url, api_key, org, patience_s=_PATIENCE_S)
