"""Waiting for the end of an execution or of a standalone task, and telling how it was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.live import Live

from flowstrand.cli.exits import exit_of
from flowstrand.cli.failures import tell
from flowstrand.cli.on_server import Session
from flowstrand.cli.progress import ExecutionProgress, Progress, TaskProgress
from flowstrand.errors import AuthorError

if TYPE_CHECKING:
    from flowstrand.client import Execution, TaskExecution
    from flowstrand.client.deadline import Deadline


def tell_end(session: Session, execution_id: str, timeout_s: float | None) -> None:
    """Wait for the end and print the result; with `--json`, the execution as it is then.

    Raises:
        AuthorError: it did not complete, which is then told as an error.
        typer.Exit: the same, where the JSON tells it already.
        TimeoutError: it goes on.
    """
    _tell(session, wait_for_end(session, execution_id, timeout_s))


def tell_end_of_task(session: Session, task_id: str, timeout_s: float | None) -> None:
    """The same for a standalone task."""
    from flowstrand.client.deadline import Deadline
    from flowstrand.client.history import TASK_TERMINAL_TYPES

    snapshot, deadline = session.client.get_task(task_id), Deadline(timeout_s)
    if not snapshot.is_closed:
        with _shown(lambda: TaskProgress(snapshot)) as progress:
            _wait(session, snapshot, deadline, progress, TASK_TERMINAL_TYPES)
        snapshot = session.client.get_task(task_id)
    _tell(session, snapshot)


def wait_for_end(session: Session, execution_id: str, timeout_s: float | None) -> Execution:
    """Wait until an execution has ended, and the one that it has continued as; on a terminal, show how far it is.

    Raises:
        TimeoutError: it is still open after `timeout_s`.
    """
    from flowstrand.client.deadline import Deadline

    deadline = Deadline(timeout_s)
    ended = _end_of(session, session.client.get(execution_id), deadline)
    while ended.continued_as is not None:
        ended = _end_of(session, session.client.get(ended.continued_as), deadline)
    return ended


def _tell(session: Session, ended: Execution | TaskExecution) -> None:
    if not session.out.as_json:
        session.out.value(session.client.payloads.from_wire(ended.result()))
        return
    session.out.value(ended.body)
    try:
        ended.result()
    except AuthorError as error:
        raise typer.Exit(exit_of(error)) from error


def _end_of(session: Session, snapshot: Execution, deadline: Deadline) -> Execution:
    from flowstrand.client.history import TERMINAL_TYPES

    if snapshot.is_closed:
        return snapshot

    def progress() -> Progress:
        return ExecutionProgress(snapshot, (task.id for task in session.client.tasks(snapshot.id, only="open")))

    with _shown(progress) as shown:
        _wait(session, snapshot, deadline, shown, TERMINAL_TYPES)
    return session.client.get(snapshot.id)


def _wait(
    session: Session,
    snapshot: Execution | TaskExecution,
    deadline: Deadline,
    progress: Progress | None,
    ends: tuple[str, ...],
) -> None:
    """Until the log has ended. Where nobody is shown more, only its end is read."""
    after, closed = snapshot.current_sequence, False
    while not closed:
        wait_s = deadline.next_wait_s(snapshot.id)
        types = () if progress else ends
        try:
            page = session.client.history(snapshot.id, after=after, wait_s=wait_s, types=types)
        except KeyboardInterrupt:
            tell(f"{snapshot.id} goes on", "INTERRUPTED", as_json=session.out.as_json)
            raise
        if progress is not None:
            for event in page.events:
                progress.see(event)
        after, closed = page.next_after, page.closed


@contextmanager
def _shown(progress: Callable[[], Progress]) -> Iterator[Progress | None]:
    """A live line on stderr, where that is a terminal; it is gone afterwards."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield None
        return
    line = progress()
    with Live(line, console=console, refresh_per_second=8, transient=True):
        yield line
