"""How many descendants an execution has that are open now, from what every log says of its own children."""

from __future__ import annotations

from functools import partial

from flowstrand.engine.ids import ExecutionId
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.container import Services
from flowstrand.streams.consolidated.side_by_side import each

_LOOKS = 3
"""Logs that are looked at for each one that may be open: children that have ended and told nobody are not told apart before."""


def are_more_open_than(services: Services, root: LogKey, most: int) -> bool:
    """Whether more than `most` descendants are open now. False, too, where finding out would take too many looks."""
    level, looks, open_ones = [root.execution_id], 0, -1  # the root is none
    while level and looks <= most * _LOOKS:
        looks += len(level)
        found = each(level, partial(_look, services, root))
        open_ones += sum(is_open for is_open, _ in found)
        if open_ones > most:
            return True
        level = [child for _, children in found for child in children]
    return False


def _look(services: Services, root: LogKey, id: ExecutionId) -> tuple[bool, list[ExecutionId]]:
    """Whether an execution is open, or the root has ended with it, and what is to be looked at because of it."""
    tip = append.load(services, LogKey(root.org, id))
    if tip is None:
        return True, []
    below = [ExecutionId(child.child_workflow_id) for child in tip.state.children.values()]
    if tip.state.continued_as is not None:
        below.append(ExecutionId(tip.state.continued_as))
    is_root = id == root.execution_id and tip.state.continued_as is None
    return tip.state.closed is None or is_root, below
