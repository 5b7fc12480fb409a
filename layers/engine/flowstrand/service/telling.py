"""Telling one execution what has become of another: an append to a log that is not the one being driven."""

from __future__ import annotations

from typing import TypeAlias

from flowstrand.engine.effects import needs_wake
from flowstrand.engine.events import WorkflowCancelled, WorkflowCompleted, WorkflowFailed
from flowstrand.errors import Gone, LogCorrupted, NotFound
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.container import Services
from flowstrand.service.waking import wake

End: TypeAlias = WorkflowCompleted | WorkflowFailed | WorkflowCancelled


def end_of(services: Services, tip: append.Tip) -> End:
    """How the execution at `tip`, which has ended, did so."""
    commit = services.log.commit_at(tip.key, tip.state.sequence)
    end = unpack_events(commit)[-1].data if commit else None
    if not isinstance(end, End):
        raise LogCorrupted(f"{tip.key} has no terminal event at {tip.state.sequence}")
    return end


def tell(services: Services, key: LogKey, decide: append.Decision[bool], *, always_wake: bool = False) -> bool:
    """Append what `decide` makes of the news, and wake the execution; says whether it is there and open.

    Args:
        always_wake: wake it though it knew already: whoever told it may have died before the wake.
    """
    try:
        told = append.transact(services, key, decide)
    except (NotFound, Gone):
        return False
    if told.tip.state.closed:
        return False
    sequence = told.sequence or told.tip.state.sequence
    if always_wake or needs_wake(told.tip.state, sequence):
        wake(services, key, sequence)
    return True
