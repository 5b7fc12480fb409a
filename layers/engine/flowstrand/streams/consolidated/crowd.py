"""How many descendants an execution has that are open now, from what every log says of its own children."""

from __future__ import annotations

from flowstrand.engine.ids import ExecutionId
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.container import Services

_LOOKS = 3
"""Logs that are looked at for each one that may be open: children that have ended and told nobody are not told apart before."""


def are_more_open_than(services: Services, root: LogKey, most: int) -> bool:
    """Whether more than `most` descendants are open now. False, too, where finding out would take too many looks."""
    waiting, open_ones = [root.execution_id], 0
    for _ in range(most * _LOOKS):
        if not waiting:
            return False
        log = waiting.pop()
        tip = append.load(services, LogKey(root.org, log))
        if tip is not None and tip.state.continued_as is not None:
            waiting.append(ExecutionId(tip.state.continued_as))
        elif log != root.execution_id and (tip is None or not tip.state.closed):
            open_ones += 1
        if tip is not None:
            waiting += [ExecutionId(child.child_workflow_id) for child in tip.state.children.values()]
        if open_ones > most:
            return True
    return False
