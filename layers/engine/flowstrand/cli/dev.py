"""`flowstrand dev`: the local server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.on_server import AsJson
from flowstrand.cli.output import Output
from flowstrand.jsonvalue import JsonObject
from flowstrand.local.options import ORG, Options, StoreName

if TYPE_CHECKING:
    from flowstrand.local.server import Listening


def dev(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any free one.")] = 8080,
    app: Annotated[
        str,
        typer.Option(metavar="FILE_OR_MODULE", help="The workflows and tasks: app.py, app.py:attr or a module."),
    ] = "workflows",
    data: Annotated[Path, typer.Option(help="The folder for the database and the keys.")] = Path(".flowstrand"),
    store: Annotated[
        StoreName,
        typer.Option(help="dynamodb is at AWS_ENDPOINT_URL, FLOWSTRAND_DYNAMODB_ENDPOINT, or AWS itself."),
    ] = "sqlite",
    api_key: Annotated[
        str | None,
        typer.Option(help="The key of org dev; without it one is made, kept in the data folder and shown."),
    ] = None,
    tasks: Annotated[bool, typer.Option("--tasks/--no-tasks", help="Run the app's tasks here.")] = True,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="An origin whose pages may use the server, such as http://localhost:3000; all, if none is given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve workflows on this machine, with the handlers that deploy to AWS; a restart goes on where it was.

    Examples:
        flowstrand dev --app shop.py
        flowstrand dev --app shop.py --port 9000 --no-tasks
        flowstrand dev --app shop.py --port 0 --json
    """
    from flowstrand.local.server import DevServer

    options = Options(
        host=host,
        port=port,
        app=app,
        data=data,
        store=store,
        api_key=api_key,
        runs_tasks=tasks,
        allowed_origins=tuple(allow_origin or ("*",)),
    )
    tell = _tell_programs if as_json else _tell
    with told_on_one_line(as_json=as_json):
        DevServer(options).run(lambda listening: tell(options, listening))
    # A task of the app may still be running in a thread, for as long as it likes: nothing depends on its ending here.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _tell_programs(options: Options, listening: Listening) -> None:
    """An object on a line of its own, once the server takes requests."""
    body: JsonObject = {
        "url": listening.url,
        "org": ORG,
        "apiKey": listening.api_key if options.api_key is None else None,
        "app": options.app,
        "store": options.store,
        "data": str(options.data),
    }
    Output(as_json=True).value(body)
    sys.stdout.flush()


def _tell(options: Options, listening: Listening) -> None:
    from flowstrand.local.keys import DEV_KEY

    typer.echo(f"Flowstrand listens on {listening.url}")
    typer.echo(f"  app {options.app} · store {options.store} · data in {options.data}")
    if options.api_key is None:
        typer.echo(f"  API key of org {ORG}, kept in {options.data / DEV_KEY}:")
        typer.echo(f"  export FLOWSTRAND_URL={listening.url} FLOWSTRAND_API_KEY={listening.api_key}")
    sys.stdout.flush()
