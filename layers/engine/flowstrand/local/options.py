"""`Options`: how the local server is to run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from flowstrand.dataclass import dataclass

StoreName: TypeAlias = Literal["sqlite", "dynamodb"]

ORG = "dev"
"""The one org that the local server makes keys for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `flowstrand dev` takes.

    Attributes:
        port: 0 for any free one.
        app: what `App.load` takes.
        data: the folder for the database and the secrets; made at need.
        api_key: for org `dev`; None to make one and keep it in `data`.
        runs_tasks: whether the app's tasks run here, in an embedded worker.
        allowed_origins: whose pages may use this server, `*` for all.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    app: str = "workflows"
    data: Path = Path(".flowstrand")
    store: StoreName = "sqlite"
    api_key: str | None = None
    runs_tasks: bool = True
    allowed_origins: tuple[str, ...] = ("*",)
