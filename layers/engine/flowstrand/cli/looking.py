"""`flowstrand get`, `state`, `tasks` and `children`: look into executions."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.on_server import Session, on_server
from flowstrand.cli.options import ExecutionId

if TYPE_CHECKING:
    from flowstrand.client.standing import Stage


class Only(StrEnum):
    """Which of its tasks or children."""

    OPEN = "open"
    ENDED = "ended"

    @property
    def stage(self) -> Stage:
        """As the client has it."""
        return "open" if self is Only.OPEN else "ended"


OnlyOption: TypeAlias = Annotated[Only | None, typer.Option("--only", help="Leave out the others.")]

_TASKS = (
    Column("taskExecutionId", "TASK", is_whole=True),
    Column("kind", "KIND"),
    Column("status", "STATUS", is_whole=True),
    Column("executionCount", "ATTEMPT"),
    Column("queue", "QUEUE"),
    Column("workerId", "WORKER"),
    Column("progress", "PROGRESS"),
    Column("error", "ERROR"),
)
_CHILDREN = (
    Column("childWorkflowId", "EXECUTION", is_whole=True),
    Column("name", "NAME"),
    Column("kind", "KIND"),
    Column("status", "STATUS", is_whole=True),
    Column("error", "ERROR"),
)


@on_server
def get(session: Session, execution_id: ExecutionId) -> None:
    """Show an execution: how it stands, and its output or error.

    Examples:
        flowstrand get 01JDX5K7Q2ZB4M8N0P3R6T9V1W
        flowstrand get 01JDX5K7Q2ZB4M8N0P3R6T9V1W --json
    """
    session.out.one(session.client.get(execution_id).body)


@on_server
def state(
    session: Session,
    execution_id: ExecutionId,
    key: Annotated[str | None, typer.Option(help="Only this one.")] = None,
) -> None:
    """Show what the workflow's code has set for others to see.

    Examples:
        flowstrand state 01JDX5K7Q2ZB4M8N0P3R6T9V1W --key progress
    """
    values = session.client.state(execution_id, key)
    if session.out.as_json:
        session.out.value({"state": values})
        return
    rows = [{"key": name, "value": value} for name, value in values.items()]
    session.out.many("keys", rows, (Column("key", "KEY", is_whole=True), Column("value", "VALUE")))


@on_server
def tasks(session: Session, execution_id: ExecutionId, only: OnlyOption = None) -> None:
    """List the tasks of an execution, open ones first.

    Examples:
        flowstrand tasks 01JDX5K7Q2ZB4M8N0P3R6T9V1W --only open
    """
    found = session.client.tasks(execution_id, only=only.stage if only else None)
    session.out.many("tasks", (task.body for task in found), _TASKS)


@on_server
def children(session: Session, execution_id: ExecutionId, only: OnlyOption = None) -> None:
    """List the child workflows of an execution, open ones first.

    Examples:
        flowstrand children 01JDX5K7Q2ZB4M8N0P3R6T9V1W
    """
    found = session.client.children(execution_id, only=only.stage if only else None)
    session.out.many("children", (child.body for child in found), _CHILDREN)
