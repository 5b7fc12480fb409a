"""The resumer's one use case: handle a wake, or something that has come due, or a schedule that wants looking at.

Handling a wake = drain the inbox; run turns until the execution is not runnable; then dispatch every effect of
commits from the wake's sequence on that is still open. Only then is the message acknowledged, so that a crash anywhere in
between is repaired by its redelivery (laws 8 and 9).
"""

from __future__ import annotations

import logging
from dataclasses import replace

from flowstrand.engine import effects
from flowstrand.engine.decide import promise, task, timeout, timer
from flowstrand.engine.evolve import Draft
from flowstrand.observability import meter, metrics
from flowstrand.queues.messages import ControlMessage, Due, DueKind, ScheduleDue, Wake
from flowstrand.service import append, expiry, inbox, leases, open_executions, projection, retrying, schedule_ticks
from flowstrand.service.container import Services
from flowstrand.service.dispatch import dispatch
from flowstrand.service.strand import MissingCode
from flowstrand.service.turn import run_turn
from flowstrand.service.waking import wake

_log = logging.getLogger("flowstrand.resumer")

MAX_TURNS = 200
"""Turns under one wake; then the wake is sent again, so that one execution cannot keep a process for ever."""


def handle(services: Services, message: ControlMessage, worker_id: str = "resumer") -> None:
    """Handle one message; when it returns, the message may be acknowledged.

    Raises:
        StoreUnavailable, Contended, Unavailable: handle it again later.
    """
    match message:
        case Wake():
            _handle_wake(services, message, worker_id)
        case Due():
            _handle_due(services, message)
        case ScheduleDue():
            schedule_ticks.tick(services, message)


def _handle_wake(services: Services, wake: Wake, worker_id: str) -> None:
    tip = append.load(services, wake.key)
    if tip is None:
        return  # its creation is not there yet, or never came
    if tip.state.is_copying:
        tip = retrying.finish(services, tip)
    if inbox.drain(services, wake.key):
        tip, _ = append.catch_up(services, tip)
    again_in_ms: int | None = None
    try:
        tip = _run_turns(services, tip, worker_id)
        again_in_ms = 0 if tip.state.is_runnable else None
    except leases.LeaseHeld as held:
        again_in_ms = min(held.for_ms, services.settings.turn_lease_ms)
    except MissingCode as missing:
        # Sending the wake again would add one to those that the sweep sends, each time it sends one, for ever.
        _log.warning("%s: %s waits for the next sweep", missing, wake.execution_id)
    tip, _ = append.catch_up(services, tip)
    if tip.state.closed:
        _tell_of_end(services, tip)
        return
    dispatch(services, tip, wake.sequence)
    if again_in_ms is not None:
        meter.count(metrics.WAKES_RESENT)
        services.control.send([wake], delay_ms=again_in_ms)


def _tell_of_end(services: Services, tip: append.Tip) -> None:
    """Carry out what outlives the execution, unless a wake has done all of it.

    Every commit has wakes of its own, and most of them come after a short execution's end. Were each to tell again, and
    whoever is told to do likewise, then every wake of an execution would run down the chain of those that it has continued
    as, and along all of its children.
    """
    services.warm.forget(tip.key)
    row = open_executions.find(services.directory, tip.key)
    if row is None:
        return
    if not row.is_told:
        dispatch(services, tip, tip.state.sequence)
        schedule_ticks.tell(services, tip)
        expiry.remember(services, tip)
    if projection.is_projected(services, tip.key, tip.state.sequence):
        open_executions.remove(services.directory, tip.key)
    elif not row.is_told:
        open_executions.mark_told(services.directory, row)


def _run_turns(services: Services, tip: append.Tip, worker_id: str) -> append.Tip:
    for _ in range(MAX_TURNS):
        if not tip.state.is_runnable:
            break
        tip = (
            run_turn(services, tip.key, worker_id, lambda flushed, since: dispatch(services, flushed, since))
            or tip
        )
    return tip


def _handle_due(services: Services, due: Due) -> None:
    """Settle the one thing that is due if it is still open, and wake the execution for whoever settled it."""
    tip = append.load(services, due.key)
    if tip is None or _is_postponed(services, tip, due):
        return
    at_ms = _due_at_ms(services, tip, due)
    settled = append.transact(services, due.key, lambda draft: _settle(draft, due), tip=tip)
    if settled.sequence is not None and at_ms is not None:
        meter.record(metrics.DUE_LATENESS, services.clock.now_ms() - at_ms)
    sequence = settled.sequence or _changed_at(settled.tip, due)
    if effects.needs_wake(settled.tip.state, sequence):
        wake(services, due.key, sequence)


def _settle(draft: Draft, due: Due) -> bool:
    match due.kind:
        case DueKind.TIMER:
            return timer.fire(draft, due.position)
        case DueKind.LEASE:
            return task.expire_lease(draft, due.position, attempt=due.attempt)
        case DueKind.DEADLINE:
            return task.expire_deadline(draft, due.position)
        case DueKind.WORKFLOW:
            return timeout.time_out(draft)
        case DueKind.PROMISE:
            return promise.time_out(draft, due.position)
        case DueKind.ATTEMPT:
            return False  # its moment only wakes; the queue message is an effect


def _is_postponed(services: Services, tip: append.Tip, due: Due) -> bool:
    """Whether the thing is still open and not due after all; then one message is sent again for its new moment.

    Wakes arm the same lease again and again, and each of those messages would otherwise live as long as the worker
    heartbeats. So of those that have been sent again once, only the first that finds a new moment is sent for it; the
    others end. That a wake armed is always sent again, since it is there to replace those that may be lost. So is one
    that came before its own moment, since there may be no other for it.
    """
    at_ms = _due_at_ms(services, tip, due)
    if at_ms is None or at_ms <= services.clock.now_ms():
        return False
    is_rearmed = due.rearmed_for_ms not in {0, at_ms} and leases.is_rearmed(services.directory, due.name, at_ms)
    if not is_rearmed:
        services.timers.at(replace(due, rearmed_for_ms=at_ms), at_ms)
        leases.note_rearmed(services.directory, due.name, at_ms)
    return True


def _due_at_ms(services: Services, tip: append.Tip, due: Due) -> int | None:
    """When the thing is due, as the log and heartbeats have it; None where it is open no more."""
    known = tip.state.tasks.get(due.position)
    match due.kind:
        case DueKind.TIMER:
            timer_known = tip.state.timers.get(due.position)
            return timer_known.fire_at_ms if timer_known else None
        case DueKind.LEASE if known is not None and known.attempts == due.attempt:
            task_id = known.task_execution_id
            extended_ms = leases.extended_to_ms(services.directory, task_id, attempt=due.attempt)
            return max(known.due_at_ms, extended_ms)
        case DueKind.DEADLINE:
            return known.deadline_at_ms if known else None
        case DueKind.PROMISE:
            promised = tip.state.promises.get(due.position)
            return promised.timeout_at_ms if promised and not tip.state.closed else None
        case DueKind.WORKFLOW:
            return None if tip.state.closed else tip.state.timeout_at_ms
        case _:
            return None


def _changed_at(tip: append.Tip, due: Due) -> int:
    """Where the thing's newest change is, if it is open; else the newest event of the log."""
    known = tip.state.tasks.get(due.position)
    return known.changed_at if known else tip.state.sequence
