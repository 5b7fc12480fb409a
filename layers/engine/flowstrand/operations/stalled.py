"""Open executions for which something should have happened, and has not (law 8): found from the directory's rows and their logs.

Reads the tail of each log and what follows its newest checkpoint, as a handler does. An execution that waits for somebody outside, a
signal or a promise, does not stall, however long that takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from flowstrand.engine import effects
from flowstrand.engine.effects import Effect
from flowstrand.engine.schema import rfc3339
from flowstrand.errors import FlowstrandError, LogCorrupted, StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service import append, leases, listing_rows, open_executions
from flowstrand.service.container import Services
from flowstrand.service.open_executions import SHARDS, OpenExecution

_ABANDONED_MS = 3_600_000
"""The sweep removes a row whose execution has not begun by then."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was looked at.

    Attributes:
        looked_at: how many rows.
        is_all: whether those were all.
        lagging: how many logs the projector is behind with, beyond patience; `lag_ms` the longest.
    """

    looked_at: int
    is_all: bool
    stalls: tuple[Stall, ...]
    lagging: int
    lag_ms: int


def survey(services: Services, patience: Patience, *, most: int) -> Survey:
    """Look at open executions, at most `most` of them, beginning somewhere by chance.

    Raises:
        StoreUnavailable: the directory or a log cannot be read now.
    """
    first = int.from_bytes(services.random_bytes(4), "big") % SHARDS
    rows = open_executions.rows(services.directory, first_shard=first)
    stalls: list[Stall] = []
    lags: list[int] = []
    looked_at = 0
    for row in islice(rows, most):
        looked_at += 1
        stalls += _of_row(services, row, patience)
        lag_ms = _lag_ms(services, row.key)
        lags += [lag_ms] if lag_ms > patience.lag_ms else []
    return Survey(
        looked_at=looked_at,
        is_all=next(rows, None) is None,
        stalls=tuple(stalls),
        lagging=len(lags),
        lag_ms=max(lags, default=0),
    )


def _of_row(services: Services, row: OpenExecution, patience: Patience) -> Iterator[Stall]:
    now_ms = services.clock.now_ms()
    try:
        tip = append.load(services, row.key)
    except StoreUnavailable:
        raise
    except FlowstrandError as error:
        yield Stall(key=row.key, code="LOG_UNREADABLE", message=error.message, is_helped_by_wake=False)
        return
    if tip is None:
        if now_ms - row.since_ms > _ABANDONED_MS + patience.stalled_ms:
            message = f"has a row since {rfc3339(row.since_ms)} and has never begun"
            yield Stall(key=row.key, code="ROW_ABANDONED", message=message, is_helped_by_wake=False)
        return
    since, is_late = (
        f"since {rfc3339(tip.state.timestamp_ms)}",
        now_ms - tip.state.timestamp_ms > patience.stalled_ms,
    )
    if tip.state.closed:
        if is_late and not row.is_told:
            yield Stall(key=row.key, code="END_UNTOLD", message=f"has ended, and nobody was told, {since}")
    elif tip.state.is_copying:
        if is_late:
            yield Stall(key=row.key, code="STALLED", message=f"is a retry whose history is not copied, {since}")
    elif tip.state.is_runnable:
        if is_late:
            message = f"is to run and does not, {since}: perhaps no deployed app has a workflow {tip.state.kind!r}"
            yield Stall(key=row.key, code="STALLED", message=message)
    else:
        yield from _overdue(services, tip, patience, now_ms)


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


def _lag_ms(services: Services, key: LogKey) -> int:
    """How long the projector has not known of the first event that it does not know of."""
    tail = services.log.tail(key)
    projected = listing_rows.read(services.directory, [key])[key].projected
    if tail is None or projected >= tail.last_sequence:
        return 0
    try:
        unknown = services.log.commit_at(key, projected + 1)
    except LogCorrupted:
        return 0  # it is told as what it is
    return 0 if unknown is None else services.clock.now_ms() - unknown.written_at_ms
