"""Carrying out effects (law 7). Everything here may be repeated: every receiver asks the log again."""

from __future__ import annotations

from collections import defaultdict

from flowstrand.engine.decide import child as decide_child
from flowstrand.engine.decide.start import start_workflow
from flowstrand.engine.effects import (
    ArmDeadline,
    ArmLease,
    ArmPromise,
    ArmTimeout,
    ArmTimer,
    AwaitChild,
    Effect,
    PublishPromise,
    QueueAttempt,
    StartChild,
    StartSuccessor,
    TellChildCancel,
    TellParent,
    open_effects,
)
from flowstrand.engine.events import (
    ChildInitiated,
    ParentRef,
    WorkflowStarted,
)
from flowstrand.engine.ids import CHILD, ExecutionId
from flowstrand.engine.state import OpenChild
from flowstrand.engine.trace_context import operation_span
from flowstrand.errors import LogCorrupted
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import AppendConflict, LogKey
from flowstrand.queues.messages import Due, DueKind, TaskMessage
from flowstrand.service import adoption, append, cancel, open_executions, promise_keys, succession, telling
from flowstrand.service.container import Services
from flowstrand.service.waking import wake

MAX_QUEUE_DELAY_MS = 15 * 60 * 1_000
"""The longest delay of a queue; beyond it a timer is armed."""


def dispatch(services: Services, tip: append.Tip, since: int) -> None:
    """Carry out every effect of commits from `since` on that is still open.

    Raises:
        StoreUnavailable: some effects may not have been carried out; dispatch again.
    """
    attempts: list[QueueAttempt] = []
    for effect in open_effects(tip.state, since):
        if isinstance(effect, QueueAttempt):
            attempts.append(effect)
        else:
            _carry_out(services, tip, effect)
    _queue(services, tip, attempts)


def _carry_out(services: Services, tip: append.Tip, effect: Effect) -> None:
    key = tip.key
    match effect:
        case ArmLease() | ArmDeadline() | ArmTimeout() | ArmTimer() | ArmPromise():
            services.timers.at(_due_of(key, effect), effect.at_ms)
        case PublishPromise(promise=promise):
            promise_keys.publish(services, key.org, promise)
        case StartChild(child=child):
            _start_child(services, tip, child)
        case TellChildCancel(child=child):
            cancel.tell_child(services, tip, child)
        case StartSuccessor():
            succession.begin(services, tip)
        case AwaitChild(child=child):
            adoption.await_end(services, tip, child)
        case TellParent(parent=parent):
            _tell_parent(services, tip, parent)
        case QueueAttempt():
            _queue(services, tip, [effect])


def _due_of(key: LogKey, armed: ArmLease | ArmDeadline | ArmTimeout | ArmTimer | ArmPromise) -> Due:
    match armed:
        case ArmLease(position=position, attempt=attempt):
            return _due(key, DueKind.LEASE, position, attempt)
        case ArmDeadline(position=position):
            return _due(key, DueKind.DEADLINE, position)
        case ArmTimeout():
            return _due(key, DueKind.WORKFLOW)
        case ArmTimer(position=position):
            return _due(key, DueKind.TIMER, position)
        case ArmPromise(position=position):
            return _due(key, DueKind.PROMISE, position)


def _due(key: LogKey, kind: DueKind, position: int = 0, attempt: int = 0) -> Due:
    return Due(org=key.org, execution_id=key.execution_id, kind=kind, position=position, attempt=attempt)


def _queue(services: Services, tip: append.Tip, attempts: list[QueueAttempt]) -> None:
    """Queue attempts, as many at once as share a queue and a delay."""
    key = tip.key
    now_ms = services.clock.now_ms()
    batches: dict[tuple[str, int], list[TaskMessage]] = defaultdict(list)
    for effect in attempts:
        delay_ms = max(0, effect.at_ms - now_ms)
        if delay_ms > MAX_QUEUE_DELAY_MS:
            services.timers.at(_due(key, DueKind.ATTEMPT, effect.position, effect.attempt), effect.at_ms)
            continue
        message = TaskMessage(
            org=key.org,
            execution_id=key.execution_id,
            position=effect.position,
            attempt=effect.attempt,
            priority=effect.priority,
            kind=tip.state.tasks[effect.position].kind,
        )
        batches[effect.queue, delay_ms].append(message)
    for (queue, delay_ms), messages in batches.items():
        services.tasks.send(key.org, queue, messages, delay_ms=delay_ms)


def _start_child(services: Services, tip: append.Tip, child: OpenChild) -> None:
    """Begin the child's log (already begun is success), wake it, then say so in the parent's.

    Where its author chose an id that another execution has, the parent's log says that instead.
    """
    key = LogKey(tip.key.org, ExecutionId(child.child_workflow_id))
    initiated = _initiated(services, tip.key, child)
    parent = ParentRef(workflow_execution_id=tip.state.workflow_execution_id, position=child.position)
    now_ms = services.clock.now_ms()
    started = start_workflow(
        key.execution_id,
        kind=child.kind,
        input=initiated.input,
        queue=child.queue,
        parent=parent,
        timeout_at_ms=None if initiated.timeout_ms is None else now_ms + initiated.timeout_ms,
        # Of the trace, the child is what the parent's log tells of it, which has a span of its own.
        trace=tip.state.trace
        and tip.state.trace.below(operation_span(tip.key.execution_id, CHILD, child.position)),
    )
    open_executions.add(services.directory, key, now_ms)
    try:
        append.put(services, append.first_commit(services, key, started))
    except AppendConflict:  # an earlier dispatch began it, or it is somebody else's
        if _parent_of(services, key) != parent:
            telling.tell(services, tip.key, lambda draft: decide_child.refused(draft, child.position))
            return
    wake(services, key, 1)
    telling.tell(services, tip.key, lambda draft: decide_child.started(draft, child.position))


def _parent_of(services: Services, key: LogKey) -> ParentRef | None:
    commit = services.log.commit_at(key, 1)
    first = unpack_events(commit)[0].data if commit else None
    return first.parent if isinstance(first, WorkflowStarted) else None


def _initiated(services: Services, key: LogKey, child: OpenChild) -> ChildInitiated:
    commit = services.log.commit_at(key, child.initiated_at)
    data = unpack_events(commit)[child.initiated_at - commit.sequence].data if commit else None
    if not isinstance(data, ChildInitiated):
        raise LogCorrupted(f"{key} has no CHILD_WORKFLOW_INITIATED at {child.initiated_at}")
    return data


def _tell_parent(services: Services, tip: append.Tip, parent: ParentRef) -> None:
    """Append the execution's end to its parent; one that has ended, or is gone, drops it, and those that retry it get it."""
    end = telling.end_of(services, tip)
    key = LogKey(tip.key.org, ExecutionId(parent.workflow_execution_id))
    if not telling.tell(
        services, key, lambda draft: decide_child.ended(draft, parent.position, end), always_wake=True
    ):
        adoption.tell_heirs(services, key.org, parent, end)
