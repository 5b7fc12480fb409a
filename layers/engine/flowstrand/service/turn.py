"""A turn: deliver what the log has to the code, append what the code asks for, close.

What commits is issued minus recorded, decided behind everything read; so a duplicate turn, a re-based commit, a
segment, a warm and a cold start are all the same rule.
"""

from __future__ import annotations

from collections.abc import Callable

from flowstrand.engine.decide import turn as decide
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.outcome import raised
from flowstrand.errors import OperatorError, PayloadTooLarge
from flowstrand.log.port import AppendConflict, LogKey
from flowstrand.observability import meter, metrics
from flowstrand.service import append, poison
from flowstrand.service.container import Services
from flowstrand.service.leases import LeaseHeld
from flowstrand.service.operations import run_operations
from flowstrand.service.strand import Strand, open_strand
from flowstrand.service.wire import encoded_outcome

Flushed = Callable[[append.Tip, int], None]
"""Called with the tip and the first sequence of a commit made in the middle of a turn: its effects follow."""


def run_turn(services: Services, key: LogKey, worker_id: str, flushed: Flushed) -> append.Tip | None:
    """Run one turn of a runnable execution; returns where the log then stands, None for an empty log.

    Raises:
        MissingCode: no deployed app has the workflow.
        LeaseHeld: another process runs this execution's `ctx.run` functions.
        Contended: the log kept changing.
    """
    strand = open_strand(services, key)
    if strand is None:
        return None
    if not strand.is_cold or not strand.tip.state.is_runnable:
        return _run(services, strand, worker_id, flushed)
    counted = poison.count_turn(services, key, strand.tip.state.sequence)
    if counted.past_limit:
        return poison.fail(services, strand.tip, counted)
    try:
        return _run(services, strand, worker_id, flushed)
    except (LeaseHeld, append.Contended, OperatorError):
        poison.take_back(services, counted)
        raise


def _run(services: Services, strand: Strand, worker_id: str, flushed: Flushed) -> append.Tip:
    finished = False
    began_ms = services.clock.now_ms()
    try:
        if strand.tip.state.is_runnable:
            _count(strand)
            strand.deliver()
            try:
                if run_operations(services, strand, worker_id, flushed):
                    _close(services, strand, worker_id)
            except PayloadTooLarge as refused:  # however often it were run, the code would ask for it again
                _close(services, strand, worker_id, refused)
            meter.record(metrics.TURN_DURATION, services.clock.now_ms() - began_ms)
        finished = not strand.driver.pending_operations()
    finally:
        if finished and not strand.tip.state.closed:
            services.warm.give(strand)
        else:
            strand.driver.drop()
    return strand.tip


def _count(strand: Strand) -> None:
    if not strand.is_cold:
        meter.count(metrics.TURNS_WARM)
        return
    meter.count(metrics.TURNS_COLD)
    seen = strand.tip.state.horizon
    meter.count(metrics.EVENTS_REPLAYED, sum(event.sequence <= seen for event in strand.ahead))


def _close(services: Services, strand: Strand, worker_id: str, refused: PayloadTooLarge | None = None) -> None:
    """Append the turn's events, re-basing behind whatever others append meanwhile, until the turn is closed.

    Args:
        refused: why what the code asked for cannot be recorded; it fails the execution.
    """
    backoff = append.Backoff(services)
    for _ in range(append.MAX_CONFLICTS):
        if strand.is_superseded:
            return
        draft = Draft(strand.tip.state, services.clock.now_ms())
        decide.resume(draft, worker_id)
        if refused is None:
            decide.mark(draft, strand.missing_patches())
            strand.issue(draft, strand.missing_commands())
        outcome = raised(refused) if refused else encoded_outcome(strand.wire, strand.driver.outcome())
        decide.close(draft, outcome, strand.horizon, worker_id)
        try:
            if strand.write(draft):  # a turn too large for one commit is cut; only its last commit closes it
                return
        except AppendConflict:
            meter.count(metrics.APPEND_CONFLICTS)
            backoff.wait()
            strand.read()
    raise append.Contended(strand.tip)
