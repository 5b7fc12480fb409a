"""Waiting for the end of an execution, and telling how it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.live import Live

from flowstrand.cli.exits import Exit, exit_of
from flowstrand.cli.on_server import Session
from flowstrand.cli.progress import Progress
from flowstrand.client import Execution
from flowstrand.client.deadline import Deadline
from flowstrand.client.history import TERMINAL_TYPES
from flowstrand.errors import AuthorError


def tell_end(session: Session, execution_id: str, timeout_s: float | None) -> None:
    """Wait for the end and print the result; with `--json`, the execution as it is then.

    Raises:
        AuthorError: it did not complete, which is then told as an error.
        typer.Exit: the same, where the JSON tells it already.
        TimeoutError: it goes on.
    """
    ended = wait_for_end(session, execution_id, timeout_s)
    if not session.out.as_json:
        session.out.value(session.client.payloads.from_wire(ended.result()))
        return
    session.out.value(ended.body)
    if (status := outcome(ended)) is not Exit.OK:
        raise typer.Exit(status)


def outcome(ended: Execution) -> Exit:
    """The status that tells how it ended."""
    try:
        ended.result()
    except AuthorError as error:
        return exit_of(error)
    return Exit.OK


def wait_for_end(session: Session, execution_id: str, timeout_s: float | None) -> Execution:
    """Wait until an execution has ended, and the one that it has continued as; on a terminal, show how far it is.

    Raises:
        TimeoutError: it is still open after `timeout_s`.
    """
    deadline = Deadline(timeout_s)
    ended = _end_of(session, session.client.get(execution_id), deadline)
    while ended.continued_as is not None:
        ended = _end_of(session, session.client.get(ended.continued_as), deadline)
    return ended


def _end_of(session: Session, snapshot: Execution, deadline: Deadline) -> Execution:
    if snapshot.is_closed:
        return snapshot
    after, closed = snapshot.current_sequence, False
    with _shown(session, snapshot) as progress:
        while not closed:
            page = session.client.history(
                snapshot.id,
                after=after,
                wait_s=deadline.next_wait_s(snapshot.id),
                types=() if progress else TERMINAL_TYPES,
            )
            if progress:
                for event in page.events:
                    progress.see(event)
            after, closed = page.next_after, page.closed
    return session.client.get(snapshot.id)


@contextmanager
def _shown(session: Session, snapshot: Execution) -> Iterator[Progress | None]:
    """A live line on stderr, where that is a terminal; it is gone afterwards."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield None
        return
    progress = Progress(snapshot, (task.id for task in session.client.tasks(snapshot.id, only="open")))
    with Live(progress, console=console, refresh_per_second=8, transient=True):
        yield progress
