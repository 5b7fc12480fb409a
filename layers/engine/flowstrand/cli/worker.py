"""`flowstrand worker`: run an app's tasks, for a server anywhere."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.durations import seconds, seconds_or_none
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.json_lines import JsonLines
from flowstrand.cli.on_server import ApiKey, AsJson, Org, Url
from flowstrand.errors import ConfigurationError

if TYPE_CHECKING:
    from flowstrand.worker import Worker, WorkerObserver

_log = logging.getLogger("flowstrand.worker")


class TaskLogs(StrEnum):
    """Which of what tasks log is kept."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"
    OFF = "OFF"


def worker(
    app: Annotated[
        str, typer.Option(metavar="FILE_OR_MODULE", help="The tasks: app.py, app.py:attr or a module.")
    ] = "workflows",
    queue: Annotated[
        list[str] | None,
        typer.Option(
            metavar="QUEUE[=N]",
            help="To poll, and how many of its tasks run at once at most; may be repeated.",
            show_default="default",
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="How many tasks run at once, over all queues.")] = 10,
    name: Annotated[
        str | None, typer.Option(help="Of this worker, in logs and lists; host and process by default.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Of its code, in lists.")] = None,
    grace: Annotated[
        str, typer.Option(metavar="DURATION", help="How long running tasks may go on when it is told to stop.")
    ] = "30s",
    observer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE_OR_MODULE:NAME", help="A WorkerObserver that hears what it does; may be repeated."
        ),
    ] = None,
    task_logs: Annotated[
        TaskLogs, typer.Option(help="From which level on what tasks log is kept with them.", case_sensitive=False)
    ] = TaskLogs.INFO,
    metrics: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Log what it has done so far, as JSON, so often.")
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Run the tasks of an app until SIGTERM or Ctrl-C, then finish what is running; a second one ends that at once.

    SIGUSR1 has it take no more tasks, SIGUSR2 has it take some again.

    Examples:
        flowstrand worker --app shop.py
        flowstrand worker --app shop.py --queue default --queue slow=2 --concurrency 8 --grace 2m
        flowstrand worker --app shop.py --observer monitoring.py:Metrics --metrics 60s
    """
    from flowstrand.sdk.app import App
    from flowstrand.worker import Worker

    shares, grace_s = _shares(queue or ["default"]), seconds(grace, "--grace")
    every_s = seconds_or_none(metrics, "--metrics")
    _log_to_people_or_programs(as_json=as_json)
    with told_on_one_line(as_json=as_json):
        served = Worker(
            url,
            api_key,
            org,
            App.load(app),
            queues=shares,
            concurrency=concurrency,
            name=name,
            version=version,
            grace_s=grace_s,
            log_level=None if task_logs is TaskLogs.OFF else logging.getLevelName(task_logs.value),
            observers=[_observer(spec) for spec in observer or []],
        )
        asyncio.run(_serve(served, every_s))


def _log_to_people_or_programs(*, as_json: bool) -> None:
    """For people on stderr; for programs on stdout, an object a line."""
    if as_json:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonLines())
        logging.basicConfig(level=logging.INFO, handlers=[handler])
    else:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # A line per request would bury what the worker itself has to say.
    logging.getLogger("httpx2").setLevel(logging.WARNING)


async def _serve(served: Worker, every_s: float | None) -> None:
    logging_ = asyncio.create_task(_log_metrics(served, every_s)) if every_s else None
    try:
        await served.run()
    finally:
        if logging_ is not None:
            logging_.cancel()
            with suppress(asyncio.CancelledError):
                await logging_


async def _log_metrics(served: Worker, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        found = asdict(served.metrics())
        _log.info("metrics %s", json.dumps(found), extra={"metrics": found})


def _shares(queues: Iterable[str]) -> dict[str, int | None]:
    """`["default", "slow=2"]` as queues and their limits.

    Raises:
        typer.BadParameter: a limit is no number.
    """
    split = [text.partition("=") for text in queues]
    if wrong := next((limit for _, equals, limit in split if equals and not limit.isdecimal()), None):
        raise typer.BadParameter(f"not a number of tasks: {wrong}", param_hint="--queue")
    return {name: int(limit) if equals else None for name, equals, limit in split}


def _observer(spec: str) -> WorkerObserver:
    """What `spec` names: an observer, or a class of observers that is made without arguments.

    Raises:
        ConfigurationError: it names neither.
    """
    from flowstrand.sdk.modules import load_module
    from flowstrand.worker import WorkerObserver

    target, _, attribute = spec.partition(":")
    found = getattr(load_module(target), attribute, None)
    made = found() if isinstance(found, type) else found
    if not isinstance(made, WorkerObserver):
        raise ConfigurationError(f"{spec!r} is not a WorkerObserver")
    return made
