"""Timers: start, fire, cancel. At most one of FIRED and CANCELLED is ever recorded."""

from __future__ import annotations

from flowstrand.engine import ids
from flowstrand.engine.events import TimerCancelled, TimerFired, TimerStarted
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import StartTimer
from flowstrand.engine.schema import EpochMs


def start(draft: Draft, command: StartTimer) -> None:
    """Record that workflow code asked for a timer."""
    timer_id = ids.operation_id(draft.state.workflow_execution_id, ids.TIMER, command.position)
    fire_at_ms = EpochMs(command.fire_at_ms)
    is_timeout = command.is_timeout or None
    draft.emit(
        TimerStarted(timer_id=timer_id, position=command.position, fire_at_ms=fire_at_ms, is_timeout=is_timeout)
    )


def fire(draft: Draft, position: int) -> bool:
    """Fire the timer if it is open and its moment has come; says whether it fired."""
    timer = draft.state.timers.get(position)
    if draft.state.closed or timer is None or timer.fire_at_ms > draft.now_ms:
        return False
    draft.emit(TimerFired(timer_id=timer.timer_id, position=position, fire_at_ms=timer.fire_at_ms))
    return True


def cancel(draft: Draft, position: int, *, command: int | None = None) -> None:
    """Cancel the timer if it is open.

    Args:
        command: the position of the cancel command; None at the execution's end.
    """
    timer = draft.state.timers.get(position)
    if timer is not None:
        draft.emit(
            TimerCancelled(
                timer_id=timer.timer_id, position=position, fire_at_ms=timer.fire_at_ms, command=command
            )
        )
