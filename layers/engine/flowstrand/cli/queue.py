"""`flowstrand queue` and `workers`: where tasks wait, and who takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from flowstrand.cli import completing
from flowstrand.cli.cells import Column
from flowstrand.cli.on_server import Session, on_server

if TYPE_CHECKING:
    from flowstrand.client.queue_calls import QueueLimits

QueueName: TypeAlias = Annotated[
    str, typer.Argument(metavar="QUEUE", help="Its name.", autocompletion=completing.queues)
]

_QUEUES = (
    Column("queue", "QUEUE", is_whole=True),
    Column("state", "STATE", is_whole=True),
    Column("maxTasksPerSecond", "TASKS/S"),
    Column("maxConcurrent", "CONCURRENT"),
    Column("changedAt", "CHANGED"),
)
_WORKERS = (
    Column("workerId", "WORKER", is_whole=True),
    Column("name", "NAME"),
    Column("state", "STATE", is_whole=True),
    Column("queues", "QUEUES"),
    Column("lastSeenAt", "LAST SEEN", is_whole=True),
    Column("version", "VERSION"),
    Column("taskKinds", "TASKS"),
)


@on_server
def listed(session: Session) -> None:
    """List the queues that workers or operators have named.

    Examples:
        flowstrand queue list
    """
    session.out.many("queues", (queue.body for queue in session.client.queues.list()), _QUEUES)


@on_server
def get(session: Session, queue: QueueName) -> None:
    """Show what holds for a queue, and how many tasks run where that is limited.

    Examples:
        flowstrand queue get default
    """
    session.out.one(session.client.queues.get(queue).body)


@on_server
def pause(session: Session, queue: QueueName) -> None:
    """Let no attempt begin until the queue is resumed. Those that run go on.

    Examples:
        flowstrand queue pause slow
    """
    session.out.one(session.client.queues.pause(queue).body)


@on_server
def resume(session: Session, queue: QueueName) -> None:
    """Let attempts begin again.

    Examples:
        flowstrand queue resume slow
    """
    session.out.one(session.client.queues.resume(queue).body)


@on_server
def limit(
    session: Session,
    queue: QueueName,
    per_second: Annotated[
        str | None, typer.Option(metavar="NUMBER|none", help="How many attempts begin in a second, on average.")
    ] = None,
    concurrent: Annotated[
        str | None, typer.Option(metavar="NUMBER|none", help="How many attempts run at the same time.")
    ] = None,
) -> None:
    """Limit how much of a queue is under way, whoever works on it; none takes a limit away.

    Examples:
        flowstrand queue limit payments --per-second 20 --concurrent 5
        flowstrand queue limit payments --per-second none
    """
    limits: QueueLimits = {}
    if per_second is not None:
        limits["max_tasks_per_second"] = _number(per_second, "--per-second")
    if concurrent is not None:
        at_once = _number(concurrent, "--concurrent")
        limits["max_concurrent"] = None if at_once is None else int(at_once)
    if not limits:
        raise typer.BadParameter("one of the two is needed", param_hint="--per-second or --concurrent")
    session.out.one(session.client.queues.limit(queue, **limits).body)


@on_server
def workers(
    session: Session,
    queue: Annotated[
        str | None, typer.Option(help="Only those that serve it.", autocompletion=completing.queues)
    ] = None,
) -> None:
    """List the workers that were heard of lately.

    Examples:
        flowstrand workers
        flowstrand workers --queue slow
    """
    found = session.client.workers.list(queue=queue)
    session.out.many("workers", (worker.body for worker in found), _WORKERS)


def _number(text: str, option: str) -> float | None:
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise typer.BadParameter("a number, or none", param_hint=option) from error
