"""Children that outlive a failed parent, and tell the executions that retry it of their end.

A child knows the parent that began it. A directory row for each heir says who else waits for what that parent asked for; the
child's end is looked at once more after the row is written, so that it is told whichever came first.
"""

from __future__ import annotations

from flowstrand.engine.decide import child as decide_child
from flowstrand.engine.events import ParentRef
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.state import OpenChild
from flowstrand.log.port import LogKey
from flowstrand.service import append, succession, telling
from flowstrand.service.container import Services

_PAGE = 100


def await_end(services: Services, tip: append.Tip, child: OpenChild) -> None:
    """Have the execution at `tip` told of the end of a child that it has adopted; at once where that has ended.

    A child that has not begun yet will, as its first parent's log says; whatever wakes the execution then asks again.
    """
    key = LogKey(tip.key.org, ExecutionId(child.child_workflow_id))
    found = append.load(services, key)
    if found is None or found.state.parent is None:
        return
    services.directory.put(_partition(key.org, found.state.parent), tip.key.execution_id, {})
    last = succession.newest(services, key)
    if last.state.closed:
        _tell(services, tip.key, child.position, telling.end_of(services, last))


def tell_heirs(services: Services, org: OrgId, parent: ParentRef, end: telling.End) -> None:
    """Tell every execution that has adopted the child of `parent` how that has ended."""
    partition = _partition(org, parent)
    while heirs := services.directory.scan(partition, limit=_PAGE):
        for heir in heirs:
            _tell(services, LogKey(org, ExecutionId(heir.key)), parent.position, end)
            services.directory.delete(partition, heir.key)


def forget_heirs(services: Services, org: OrgId, parent: ParentRef) -> None:
    """Whoever adopted the child of `parent` has been told; nothing of it is needed any more."""
    partition = _partition(org, parent)
    while heirs := services.directory.scan(partition, limit=_PAGE):
        for heir in heirs:
            services.directory.delete(partition, heir.key)


def is_child_of(child: OpenChild, parent: ParentRef | None, expected: ParentRef) -> bool:
    """Whether an execution with that `parent` is the child that another has open: its own, or one that it has adopted."""
    return parent == expected or (child.is_adopted and parent is not None and parent.position == child.position)


def _tell(services: Services, key: LogKey, position: int, end: telling.End) -> None:
    telling.tell(services, key, lambda draft: decide_child.ended(draft, position, end), always_wake=True)


def _partition(org: OrgId, parent: ParentRef) -> str:
    return f"heirs#{org}#{parent.workflow_execution_id}#{parent.position}"
