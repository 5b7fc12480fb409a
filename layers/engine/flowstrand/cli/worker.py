"""`flowstrand worker`: run an app's tasks, for a server anywhere."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import typer

from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.on_server import ApiKey, Org, Url


def worker(
    app: Annotated[
        str, typer.Option(metavar="FILE_OR_MODULE", help="The tasks: app.py, app.py:attr or a module.")
    ] = "workflows",
    queue: Annotated[
        list[str] | None, typer.Option(help="To poll; may be repeated.", show_default="default")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="How many tasks run at once.")] = 10,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Run the tasks of an app until SIGTERM or Ctrl-C, then finish what is running.

    Examples:
        flowstrand worker --app shop.py
        flowstrand worker --app shop.py --queue default --queue slow --concurrency 4
    """
    from flowstrand.sdk.app import App
    from flowstrand.worker import Worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # A line per request would bury what the worker itself has to say.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    with told_on_one_line():
        served = Worker(url, api_key, org, App.load(app), queues=queue or ["default"], concurrency=concurrency)
        asyncio.run(served.run())
