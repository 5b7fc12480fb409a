"""Executions that continue as others: how a successor's log begins, and where a chain of them has got to."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

from flowstrand.engine.decide.start import start_workflow
from flowstrand.engine.events import (
    CancellationRequested,
    Event,
    EventData,
    SignalReceived,
    WorkflowCompleted,
    WorkflowStarted,
)
from flowstrand.engine.events.codec import encode
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import LogCorrupted
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import AppendConflict, LogKey
from flowstrand.service import append, open_executions, payloads
from flowstrand.service.container import Services
from flowstrand.service.waking import wake

_REFERENCE_BYTES = 100
"""About what a reference to a stored value takes: storing a smaller one saves nothing."""


def newest(services: Services, key: LogKey) -> append.Tip:
    """The tip of the execution that goes on from `key`: its own, unless it has continued as another.

    A successor that has not begun yet is begun, so that whoever asks never finds the chain broken.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`.
    """
    return follow(services, append.require(services, key))


def follow(services: Services, tip: append.Tip) -> append.Tip:
    """The tip at the end of the chain that `tip` is part of."""
    while (successor := successor_of(services, tip)) is not None:
        tip = successor
    return tip


def require_whole(services: Services, key: LogKey) -> append.Tip:
    """The tip of an execution, or where it has expired, of the first of those that go on from it that has not.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`.
        Gone: `EXECUTION_EXPIRED`.
    """
    tip = append.load(services, key)
    while tip is not None and tip.is_expired:
        tip = successor_of(services, tip) or append.require_whole(tip)
    return tip or append.require(services, key)


def successor_of(services: Services, tip: append.Tip) -> append.Tip | None:
    """The tip of the execution that this one has continued as, begun at need; None where it has not.

    Raises:
        Gone: `EXECUTION_EXPIRED`: this one has expired, and that one is not even known any more.
    """
    if tip.state.continued_as is None:
        return None
    ensure_successor(services, tip)
    found = append.load(services, LogKey(tip.key.org, ExecutionId(tip.state.continued_as)))
    if found is None:
        append.require_whole(tip)
        raise LogCorrupted(f"{tip.key} has continued as {tip.state.continued_as}, which does not begin")
    return found


def ensure_successor(services: Services, tip: append.Tip) -> None:
    """If this execution has continued as another, have that begun: whoever is told of it can read it.

    What an expired one has continued as was begun long ago, and must not be again.
    """
    if tip.state.continued_as is None or tip.is_expired:
        return
    if services.log.tail(LogKey(tip.key.org, ExecutionId(tip.state.continued_as))) is None:
        begin(services, tip)


def begin(services: Services, tip: append.Tip) -> None:
    """Begin the log of the execution that this one has continued as, and wake it. Already begun is success.

    It starts as its predecessor did, with the input that was given to it; then come the signals that nobody had taken and
    the cancellation that the code had not seen.
    """
    end = _event_at(services, tip.key, tip.state.sequence).data
    if not isinstance(end, WorkflowCompleted) or end.continued_as is None:
        raise LogCorrupted(f"{tip.key} has not continued at {tip.state.sequence}")
    key = LogKey(tip.key.org, ExecutionId(end.continued_as))
    now_ms = services.clock.now_ms()
    events: list[EventData] = [_started(_event_at(services, tip.key, 1), end, now_ms)]
    events += [_carried(services, tip.key, sequence) for sequence in end.carried_signals or ()]
    requested_at = tip.state.cancel_requested_at
    if requested_at is not None and requested_at > end.horizon:
        events.append(_carried(services, tip.key, requested_at))
    open_executions.add(services.directory, key, now_ms)
    with suppress(AppendConflict):  # somebody else began it
        append.put(services, append.first_commit(services, key, *_fitting(services, key, events)))
    wake(services, key, 1)


def _started(first: Event, end: WorkflowCompleted, now_ms: int) -> WorkflowStarted:
    """How the successor starts: it may take as long as its predecessor might have taken."""
    before = first.data
    if not isinstance(before, WorkflowStarted) or end.continued_as is None:
        raise LogCorrupted(f"{end.workflow_execution_id} does not begin with its start")
    timeout_at_ms = None
    if before.timeout_at_ms is not None:
        timeout_at_ms = now_ms + before.timeout_at_ms - first.timestamp_ms
    started = start_workflow(
        end.continued_as,
        kind=before.kind,
        input=end.continued_input,
        queue=before.queue,
        version=before.version,
        metadata=before.metadata,
        parent=before.parent,
        timeout_at_ms=timeout_at_ms,
        idempotency_key=before.idempotency_key,
        trace=before.trace,
    )
    return replace(started, continued_from=end.workflow_execution_id)


def _fitting(services: Services, key: LogKey, events: list[EventData]) -> list[EventData]:
    """The events as they go into one commit: where they are too much for that, without the signals' values."""
    stored = [payloads.offload(services, key.org, data) for data in events]
    size = sum(len(json.dumps(encode(data), separators=(",", ":"))) for data in stored)
    if size <= services.settings.max_commit_bytes:
        return stored
    return [payloads.offload(services, key.org, data, inline_bytes=_REFERENCE_BYTES) for data in stored]


def _carried(services: Services, key: LogKey, sequence: int) -> EventData:
    data = _event_at(services, key, sequence).data
    if not isinstance(data, SignalReceived | CancellationRequested):
        raise LogCorrupted(f"{key} has nothing to carry over at {sequence}")
    return data


def _event_at(services: Services, key: LogKey, sequence: int) -> Event:
    commit = services.log.commit_at(key, sequence)
    if commit is None:
        raise LogCorrupted(f"{key} ends before {sequence}")
    return unpack_events(commit)[sequence - commit.sequence]
