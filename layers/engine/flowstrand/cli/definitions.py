"""`flowstrand definitions`: what can be started and scheduled."""

from __future__ import annotations

from flowstrand.cli.cells import Column
from flowstrand.cli.on_server import Session, on_server

_COLUMNS = (
    Column("kind", "KIND", is_whole=True),
    Column("deployed", "DEPLOYED"),
    Column("queue", "QUEUE"),
    Column("registeredAt", "REGISTERED"),
    Column("description", "DESCRIPTION"),
)


@on_server
def workflows(session: Session) -> None:
    """List the workflows that can be started.

    Examples:
        flowstrand definitions workflows
    """
    session.out.many("definitions", (known.body for known in session.client.workflow_definitions()), _COLUMNS)


@on_server
def tasks(session: Session) -> None:
    """List the tasks that workers have registered.

    Examples:
        flowstrand definitions tasks --json
    """
    session.out.many("definitions", (known.body for known in session.client.task_definitions()), _COLUMNS)
