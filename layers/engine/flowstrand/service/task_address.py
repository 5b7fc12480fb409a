"""Where a task is: the log that an id names, and the position there."""

from __future__ import annotations

from flowstrand.engine import ids
from flowstrand.engine.events import Event, TaskCreated
from flowstrand.engine.ids import OrgId
from flowstrand.errors import NotFound
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.container import Services

SCANNED = 1_000
"""How many events of a long log are looked at at once."""


def address_of(org: OrgId, task_id: str) -> tuple[LogKey, int]:
    """The log of a task, an execution's or the task's own, and its position there.

    Raises:
        NotFound: `TASK_NOT_FOUND`: no task can have this id.
    """
    try:
        execution, family, position = ids.owner_of(task_id)
    except ValueError:
        raise task_not_found() from None
    if family != ids.TASK:
        raise task_not_found()
    return LogKey(org, execution), position


def require_log(services: Services, key: LogKey) -> append.Tip:
    """The tip of a task's log, which must be whole.

    Raises:
        NotFound: `TASK_NOT_FOUND`: the log is empty.
        Gone: `EXECUTION_EXPIRED`.
    """
    return append.require_whole(require_known(services, key))


def require_known(services: Services, key: LogKey) -> append.Tip:
    """The tip of a task's log, of which nothing may be left but its beginning and its end.

    Raises:
        NotFound: `TASK_NOT_FOUND`: the log is empty.
    """
    tip = append.load(services, key)
    if tip is None:
        raise task_not_found()
    return tip


def creation_of(services: Services, tip: append.Tip, task_id: str) -> Event:
    """The `TASK_CREATED` of a task of this log. Of one that has ended, this reads the log up to there.

    Raises:
        NotFound: `TASK_NOT_FOUND`.
        Gone: `EXECUTION_EXPIRED`: the log does not hold it any more; that of a standalone task always does.
    """
    if tip.state.is_task and tip.key.execution_id == task_id:
        first = services.log.commit_at(tip.key, 1)
        if first is not None:
            return unpack_events(first)[0]
    append.require_whole(tip)
    known = next((task for task in tip.state.tasks.values() if task.task_execution_id == task_id), None)
    after = known.created_at - 1 if known else 0
    while after < tip.state.sequence:
        for commit in services.log.read(tip.key, after=after, limit=SCANNED):
            for event in unpack_events(commit):
                if isinstance(event.data, TaskCreated) and event.data.task_execution_id == task_id:
                    return event
            after = commit.last_sequence
    raise task_not_found()


def task_not_found() -> NotFound:
    """What is said of unknown tasks, and of another org's."""
    return NotFound("there is no such task execution", code="TASK_NOT_FOUND")
