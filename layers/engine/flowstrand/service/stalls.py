"""Whether an open execution stalls: something should have happened, and has not (law 8).

Found from the directory's row and the log's tail with what follows its newest checkpoint, as a handler reads it. An execution that
waits for somebody outside, a signal or a promise, does not stall, however long that takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flowstrand.dataclass import dataclass
from flowstrand.engine import effects
from flowstrand.engine.effects import Effect
from flowstrand.engine.schema import rfc3339
from flowstrand.errors import FlowstrandError, StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service import append, leases
from flowstrand.service.container import Services
from flowstrand.service.open_executions import OpenExecution
from flowstrand.service.sweep import ABANDONED_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long things may take before they are told, in milliseconds.

    Attributes:
        stalled_ms: what a wake does; the sweep sends one each ten minutes.
        waiting_ms: that a worker takes an attempt.
        lag_ms: that the projector knows of an event.
    """

    stalled_ms: int = 900_000
    waiting_ms: int = 3_600_000
    lag_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """What has not happened.

    Attributes:
        code: as in docs/doctor.md.
        is_helped_by_wake: whether a wake makes it happen, if nothing else is wrong.
    """

    key: LogKey
    code: str
    message: str
    is_helped_by_wake: bool = True


def stalls_of(services: Services, row: OpenExecution, patience: Patience) -> Iterator[Stall]:
    """What of one open execution has not happened. Reads what a handler reads of its log, and no more (law 11).

    Raises:
        StoreUnavailable: the directory or the log cannot be read now.
    """
    now_ms = services.clock.now_ms()
    try:
        tip = append.load(services, row.key)
    except StoreUnavailable:
        raise
    except FlowstrandError as error:
        yield Stall(key=row.key, code="LOG_UNREADABLE", message=error.message, is_helped_by_wake=False)
        return
    if tip is None:
        if now_ms - row.since_ms > ABANDONED_MS + patience.stalled_ms:
            message = f"has a row since {rfc3339(row.since_ms)} and has never begun"
            yield Stall(key=row.key, code="ROW_ABANDONED", message=message, is_helped_by_wake=False)
        return
    standing = None if tip.state.closed and row.is_told else _standing(tip)
    if standing is None:
        yield from () if tip.state.closed else _overdue(services, tip, patience, now_ms)
    elif now_ms - tip.state.timestamp_ms > patience.stalled_ms:
        yield replace(standing, message=f"{standing.message}, since {rfc3339(tip.state.timestamp_ms)}")


def _standing(tip: append.Tip) -> Stall | None:
    """What is to be done with an execution at once; None where it waits."""
    if tip.state.closed:
        return Stall(key=tip.key, code="END_UNTOLD", message="has ended, and nobody was told")
    if tip.state.is_copying:
        return Stall(key=tip.key, code="STALLED", message="is a retry whose history is not copied")
    if tip.state.is_runnable:
        message = f"is to run and does not (perhaps no deployed app has a workflow {tip.state.kind!r})"
        return Stall(key=tip.key, code="STALLED", message=message)
    return None


def _overdue(services: Services, tip: append.Tip, patience: Patience, now_ms: int) -> Iterator[Stall]:
    """The open effect that has been due for longest, and the attempt that waits for longest."""
    due: list[tuple[int, str]] = []
    waiting: list[tuple[int, str]] = []
    for effect in effects.open_effects(tip.state):
        match effect:
            case effects.QueueAttempt():
                waiting.append((effect.at_ms, effect.queue))
            case effects.PublishPromise() | effects.AwaitChild() | effects.TellChildCancel():
                pass  # doing it settles nothing that the log would show
            case _:
                due.append((_due_ms(services, tip, effect), _name(effect)))
    at_ms, name = min(due, default=(now_ms, ""))
    if now_ms - at_ms > patience.stalled_ms:
        yield Stall(key=tip.key, code="OVERDUE", message=f"{name} has been due since {rfc3339(at_ms)}")
    at_ms, queue = min(waiting, default=(now_ms, ""))
    if now_ms - at_ms > patience.waiting_ms:
        message = f"has waited for a worker of the queue {queue!r} since {rfc3339(at_ms)}"
        yield Stall(key=tip.key, code="TASK_WAITING", message=message, is_helped_by_wake=False)


def _due_ms(services: Services, tip: append.Tip, effect: Effect) -> int:
    match effect:
        case effects.ArmLease():
            task_id = tip.state.tasks[effect.position].task_execution_id
            return max(effect.at_ms, leases.extended_to_ms(services.directory, task_id, attempt=effect.attempt))
        case effects.ArmDeadline() | effects.ArmTimeout() | effects.ArmTimer() | effects.ArmPromise():
            return effect.at_ms
        case _:
            return tip.state.timestamp_ms


def _name(effect: Effect) -> str:
    match effect:
        case effects.ArmLease():
            return f"the end of a lease (position {effect.position})"
        case effects.ArmDeadline():
            return f"a task's deadline (position {effect.position})"
        case effects.ArmTimeout():
            return "its timeout"
        case effects.ArmTimer():
            return f"a timer (position {effect.position})"
        case effects.ArmPromise():
            return f"a promise's timeout (position {effect.position})"
        case effects.StartChild():
            return f"a child's start (position {effect.child.position})"
        case _:
            return "what is to be told of its end"
