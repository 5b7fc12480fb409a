"""Ids of executions and tasks, as paths hold them."""

from __future__ import annotations

from flowstrand.engine.ids import ExecutionId, is_standalone_task
from flowstrand.engine.names import is_id
from flowstrand.errors import NotFound


def known(execution_id: str) -> ExecutionId:
    """The id, which a store may be asked for. A standalone task's log is no execution, and not found among them.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`: no execution can have it.
    """
    if not is_id(execution_id) or is_standalone_task(execution_id):
        raise NotFound("there is no such execution", code="EXECUTION_NOT_FOUND")
    return ExecutionId(execution_id)


def known_task(task_id: str) -> str:
    """The id of a task, which a store may be asked for.

    Raises:
        NotFound: `TASK_NOT_FOUND`: no task can have it.
    """
    if not is_id(task_id):
        raise NotFound("there is no such task execution", code="TASK_NOT_FOUND")
    return task_id
