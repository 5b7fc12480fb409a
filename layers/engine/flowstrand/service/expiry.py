"""When a log may expire: a while after its end, and not before whatever still leads to it.

Until then it is whole. A child's is kept until that of its root is not: a tree is read as one. What an execution has
continued as is another log with a time of its own.
"""

from __future__ import annotations

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.log.port import LogKey
from flowstrand.log.retention import DAY_MS
from flowstrand.service import append, closed_executions, open_executions
from flowstrand.service.closed_executions import Closed
from flowstrand.service.container import Services

_LOOK_AGAIN_MS = 3_600_000
"""How long the janitor leaves what waits for something else, at least."""
_MAX_DEPTH = 1_000
"""Levels of parents that are looked at; beyond that a descendant waits until one of those has expired."""


def remember(services: Services, tip: append.Tip) -> None:
    """Have the log of an execution that has ended expire in due time, unless its org keeps logs for ever.

    Raises:
        StoreUnavailable: it may have been forgotten; remember it again.
    """
    days = retention_days(services, tip.key.org)
    if days:
        due_ms = tip.state.timestamp_ms + days * DAY_MS
        closed_executions.add(services.directory, Closed(key=tip.key, due_ms=due_ms))


def retention_days(services: Services, org: OrgId) -> int:
    """How many days logs of `org` are kept whole after their end; 0 for ever."""
    own = services.org_settings.get(services, org).retention_days
    return services.settings.retention_days if own is None else own


def postponed_to(services: Services, tip: append.Tip) -> int | None:
    """When to look again at the log of an execution that has ended; None where nothing keeps it any longer."""
    now_ms = services.clock.now_ms()
    days = retention_days(services, tip.key.org)
    if not days:
        return now_ms + DAY_MS  # for ever, until the operator says otherwise
    due_ms = tip.state.timestamp_ms + days * DAY_MS
    if now_ms < due_ms:
        return due_ms
    if open_executions.find(services.directory, tip.key) is not None:
        return now_ms + _LOOK_AGAIN_MS  # its end has not been told to everybody, or is still to be projected
    root = _root_that_keeps(services, tip)
    if root is None:
        return None
    root_due_ms = root.state.timestamp_ms + days * DAY_MS if root.state.closed else 0
    return max(root_due_ms, now_ms + _LOOK_AGAIN_MS)


def _root_that_keeps(services: Services, tip: append.Tip) -> append.Tip | None:
    """The highest ancestor whose log is there and has not expired; None where there is none."""
    keeper: append.Tip | None = None
    for _ in range(_MAX_DEPTH):
        parent = (keeper or tip).state.parent
        if parent is None:
            return keeper
        above = append.load(services, LogKey(tip.key.org, ExecutionId(parent.workflow_execution_id)))
        if above is None or above.is_expired:
            return keeper
        keeper = above
    return keeper
