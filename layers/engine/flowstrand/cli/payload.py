"""`flowstrand payload`: send and fetch values that are too large for a request."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from flowstrand.cli.json_option import parsed
from flowstrand.cli.on_server import Session, on_server


@on_server
def upload(
    session: Session,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="JSON; @FILE for a file's, - for stdin's.")],
) -> None:
    """Send a large value, and print what stands for it wherever a value is taken.

    Examples:
        flowstrand payload upload @scan.json
    """
    reference = session.client.upload(parsed(value, "VALUE"))
    session.out.said(reference, json.dumps(reference))


@on_server
def download(
    session: Session, payload_id: Annotated[str, typer.Argument(metavar="ID", help="Of the payload.")]
) -> None:
    """Print a large value, as JSON.

    Examples:
        flowstrand payload download 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    """
    value = session.client.download({"$flowstrand": "payload", "id": payload_id})
    session.out.value(value)
