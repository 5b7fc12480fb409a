"""`flowstrand task`: tasks without a workflow around them, and a closer look at any."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from flowstrand.cli import completing, following
from flowstrand.cli.cells import Column
from flowstrand.cli.durations import seconds_or_none
from flowstrand.cli.json_option import parsed
from flowstrand.cli.log_line import log_lines
from flowstrand.cli.on_server import Session, on_server
from flowstrand.cli.options import IdempotencyTtl, Input, Metadata, Queue, Timeout, Wait, pairs
from flowstrand.cli.waiting import tell_end_of_task

if TYPE_CHECKING:
    from flowstrand.client.task_start_options import TaskStartOptions

TaskId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Of the task.")]


class Level(StrEnum):
    """How much what was logged matters."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


_ATTEMPTS = (
    Column("attempt", "ATTEMPT", is_whole=True),
    Column("status", "STATUS", is_whole=True),
    Column("startedAt", "STARTED", is_whole=True),
    Column("endedAt", "ENDED"),
    Column("workerId", "WORKER"),
    Column("retryAt", "RETRY AT"),
    Column("error", "ERROR"),
)


@on_server
def start(
    session: Session,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="Of the task.", autocompletion=completing.task_kinds)
    ],
    input: Input = "null",
    queue: Queue = "default",
    max_attempts: Annotated[
        int | None, typer.Option(min=1, help="How often it is tried, the first time included; 4 by default.")
    ] = None,
    deadline: Annotated[
        str | None, typer.Option(metavar="DURATION", help="It fails if it is open by then.")
    ] = None,
    start_to_close: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long one attempt may take.")
    ] = None,
    heartbeat_timeout: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long an attempt may be silent.")
    ] = None,
    priority: Annotated[int, typer.Option(help="Higher comes first, where the queue heeds it.")] = 0,
    metadata: Metadata = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="A name for what is started: while it stands for a task, that is meant.")
    ] = None,
    idempotency_ttl: IdempotencyTtl = None,
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Start a task without a workflow around it, and print its id; with --wait, its result.

    Examples:
        flowstrand task start resize --input '{"image": "cat.png"}' --queue slow
        flowstrand task start resize --input @job.json --max-attempts 1 --wait
    """
    options: TaskStartOptions = {
        "queue": queue,
        "timeout": seconds_or_none(deadline, "--deadline"),
        "start_to_close": seconds_or_none(start_to_close, "--start-to-close"),
        "heartbeat_timeout": seconds_or_none(heartbeat_timeout, "--heartbeat-timeout"),
        "priority": priority,
        "metadata": {**pairs(metadata, "--metadata")} or None,
        "idempotency_key": idempotency_key,
        "idempotency_key_ttl": seconds_or_none(idempotency_ttl, "--idempotency-ttl"),
    }
    if max_attempts is not None:
        from flowstrand import RetryPolicy

        options["retry"] = RetryPolicy(max_attempts=max_attempts)
    timeout_s = seconds_or_none(timeout, "--timeout")
    handle = session.client.start_task(kind, parsed(input, "--input"), **options)
    if wait:
        tell_end_of_task(session, handle.id, timeout_s)
    else:
        session.out.said(handle.started, handle.id)


@on_server
def get(session: Session, task_id: TaskId) -> None:
    """Show a task, a standalone one or one of an execution: how it stands, and its output or error.

    Examples:
        flowstrand task get 01JDX5K7Q2ZB4M8N0P3R6T9V1W.t3
    """
    session.out.one(session.client.get_task(task_id).body)


@on_server
def cancel(
    session: Session,
    task_id: TaskId,
    reason: Annotated[str | None, typer.Option(help="For the log.")] = None,
) -> None:
    """End a standalone task, whether it waits or runs, and print how it stands now.

    Examples:
        flowstrand task cancel 01JDX5K7Q2ZB4M8N0P3R6T9V1W.t0 --reason "not wanted any more"
    """
    session.client.cancel_task(task_id, reason=reason)
    now = session.client.get_task(task_id)
    session.out.said(now.body, now.status)


@on_server
def attempts(session: Session, task_id: TaskId) -> None:
    """List the attempts of a task, a standalone one's or an execution's.

    Examples:
        flowstrand task attempts 01JDX5K7Q2ZB4M8N0P3R6T9V1W.t3
    """
    session.out.many("attempts", (attempt.body for attempt in session.client.attempts(task_id)), _ATTEMPTS)


@on_server
def logs(
    session: Session,
    task_id: TaskId,
    attempt: Annotated[int | None, typer.Option(min=1, help="Only what this one has said.")] = None,
    level: Annotated[
        Level | None, typer.Option(case_sensitive=False, help="Only what matters as much as this, or more.")
    ] = None,
) -> None:
    """Print what the attempts of a task have logged, a standalone one's or an execution's.

    Examples:
        flowstrand task logs 01JDX5K7Q2ZB4M8N0P3R6T9V1W.t3
        flowstrand task logs 01JDX5K7Q2ZB4M8N0P3R6T9V1W.t3 --attempt 2 --level warning
    """
    for record in session.client.logs(task_id, attempt=attempt, level=None if level is None else level.value):
        session.out.item(record.body, log_lines(record))


@on_server
def wait(session: Session, task_id: TaskId, timeout: Timeout = None) -> None:
    """Wait for the end of a standalone task and print its result; the exit status tells the outcome.

    Examples:
        flowstrand task wait 01JDX5K7Q2ZB4M8N0P3R6T9V1W.t0 --timeout 5m
    """
    tell_end_of_task(session, task_id, seconds_or_none(timeout, "--timeout"))


@on_server
def events(session: Session, task_id: TaskId, after: following.After = 0, types: following.Types = None) -> None:
    """Print the events of a standalone task that are there now, a line each.

    Examples:
        flowstrand task events 01JDX5K7Q2ZB4M8N0P3R6T9V1W.t0
    """
    following.print_events(session, task_id, after, types)


@on_server
def tail(session: Session, task_id: TaskId, after: following.After = 0) -> None:
    """Follow a standalone task until it ends: what it emits, and its attempts.

    Examples:
        flowstrand task tail 01JDX5K7Q2ZB4M8N0P3R6T9V1W.t0
    """
    following.follow(session, task_id, after)
