"""Effects: what the world must be told because of committed events (law 7), derived from the state alone.

An effect is open for as long as the state shows its cause unsettled. Carrying one out twice is harmless: every receiver
asks the log again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import ParentRef, TaskStatus
from flowstrand.engine.state import ExecutionState, OpenChild, OpenPromise, OpenTask


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAttempt:
    """The attempt may be claimed from `at_ms` on."""

    position: int
    attempt: int
    queue: str
    at_ms: int
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLease:
    """If nothing is heard of the attempt by `at_ms`, it is given up."""

    position: int
    attempt: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmDeadline:
    """If the task has not ended by `at_ms`, it fails for good."""

    position: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTimeout:
    """If the execution has not ended by `at_ms`, it fails."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTimer:
    """The timer fires at `at_ms`."""

    position: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """The child's own log must begin, and the parent's must say so."""

    child: OpenChild


@dataclass(frozen=True, slots=True, kw_only=True)
class TellChildCancel:
    """The child must hear that it is to end."""

    child: OpenChild


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitChild:
    """The child tells another of its end, that this execution is a retry of, and is to tell this one."""

    child: OpenChild


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmPromise:
    """The promise times out at `at_ms`."""

    position: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPromise:
    """The promise can be found by its key."""

    promise: OpenPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSuccessor:
    """The execution has continued as another, whose log must begin."""

    successor_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TellParent:
    """The execution has ended, and its parent must hear of it."""

    parent: ParentRef


Effect: TypeAlias = (
    QueueAttempt
    | ArmLease
    | ArmDeadline
    | ArmTimeout
    | ArmTimer
    | ArmPromise
    | PublishPromise
    | StartChild
    | TellChildCancel
    | AwaitChild
    | StartSuccessor
    | TellParent
)


def open_effects(state: ExecutionState, since: int = 1) -> list[Effect]:
    """The open effects of commits from sequence `since` on, in order of position; of an ended execution, all of them."""
    if state.closed:
        return _after_the_end(state)
    if state.is_copying:
        return []  # what one commit opens, a later one may settle
    effects: list[tuple[int, Effect]] = []
    if state.timeout_at_ms is not None and since <= 1:
        effects.append((0, ArmTimeout(at_ms=state.timeout_at_ms)))
    changed = [task for task in state.tasks.values() if task.changed_at >= since]
    effects += [(task.position, effect) for task in changed for effect in _of_task(task, since)]
    effects += [
        (timer.position, ArmTimer(position=timer.position, at_ms=timer.fire_at_ms))
        for timer in state.timers.values()
        if timer.changed_at >= since
    ]
    effects += [
        (p.position, effect) for p in state.promises.values() if p.changed_at >= since for effect in _of_promise(p)
    ]
    effects += [(child.position, StartChild(child=child)) for child in _unstarted(state, since)]
    effects += [(child.position, TellChildCancel(child=child)) for child in _untold(state, since)]
    adopted = [child for child in state.children.values() if child.is_adopted and child.changed_at >= since]
    effects += [(child.position, AwaitChild(child=child)) for child in adopted]
    return [effect for _, effect in sorted(effects, key=lambda pair: pair[0])]


def _after_the_end(state: ExecutionState) -> list[Effect]:
    """What outlives an execution.

    A child it asked for is still to begin, or to hear that it is to end; another execution goes on from here, or its own
    parent is to hear of its end: of a chain of executions, the last one tells.

    Whichever wake carries them out may be the last one: an ended execution is swept no more.
    """
    effects: list[Effect] = [StartChild(child=child) for child in _unstarted(state, since=1)]
    effects += [TellChildCancel(child=child) for child in _untold(state, since=1)]
    if state.continued_as:
        effects.append(StartSuccessor(successor_id=state.continued_as))
    elif state.parent:
        effects.append(TellParent(parent=state.parent))
    return effects


def _unstarted(state: ExecutionState, since: int) -> list[OpenChild]:
    """Children asked for from `since` on whose logs are not known to have begun, in order of position."""
    unstarted = [c for c in state.children.values() if c.changed_at >= since and not c.is_started]
    return sorted(unstarted, key=lambda child: child.position)


def _untold(state: ExecutionState, since: int) -> list[OpenChild]:
    """Children asked from `since` on to cancel, in order of position. Each may have been told already."""
    asked = [c for c in state.children.values() if c.cancel_at is not None and c.cancel_at >= since]
    return sorted((c for c in asked if not c.is_cancel_failed), key=lambda child: child.position)


def needs_wake(state: ExecutionState, since: int) -> bool:
    """Whether a commit at `since`, after which the state is `state`, must be followed by a wake."""
    return state.is_runnable or state.closed is not None or bool(open_effects(state, since))


def _of_promise(promise: OpenPromise) -> list[Effect]:
    effects: list[Effect] = []
    if promise.key is not None:
        effects.append(PublishPromise(promise=promise))
    if promise.timeout_at_ms is not None:
        effects.append(ArmPromise(position=promise.position, at_ms=promise.timeout_at_ms))
    return effects


def _of_task(task: OpenTask, since: int) -> Iterator[Effect]:
    """Its attempt's, which has changed from `since` on, and its deadline's, if it was created from then on."""
    yield _of_attempt(task)
    if task.deadline_at_ms is not None and task.created_at >= since:
        yield ArmDeadline(position=task.position, at_ms=task.deadline_at_ms)


def _of_attempt(task: OpenTask) -> Effect:
    if task.status is TaskStatus.RUNNING:
        return ArmLease(position=task.position, attempt=task.attempts, at_ms=task.due_at_ms)
    return QueueAttempt(
        position=task.position,
        attempt=task.attempts + 1,
        queue=task.queue,
        at_ms=task.due_at_ms,
        priority=task.priority or 0,
    )
