"""The determinism check: does what the log records match what the code asked for at the same position?"""

from __future__ import annotations

from typing import TypeAlias

from flowstrand.engine.events import (
    ChildCancellationRequested,
    ChildInitiated,
    OperationCompleted,
    OperationFailed,
    PromiseCreated,
    StateCleared,
    StateSet,
    TaskCancelled,
    TaskCreated,
    TimerCancelled,
    TimerStarted,
)
from flowstrand.engine.replay.commands import (
    CancelChild,
    CancelTask,
    CancelTimer,
    ClearState,
    Command,
    CreatePromise,
    ScheduleTask,
    SetState,
    StartChild,
    StartTimer,
    describe,
)
from flowstrand.errors import DeterminismViolation

RecordedCommand: TypeAlias = (
    TaskCreated
    | TimerStarted
    | PromiseCreated
    | ChildInitiated
    | StateSet
    | StateCleared
    | TaskCancelled
    | TimerCancelled
    | ChildCancellationRequested
)
RecordedOperation: TypeAlias = OperationCompleted | OperationFailed


def position_of(recorded: RecordedCommand) -> int | None:
    """The position of the command that `recorded` answers; None for a cancellation that no command asked for."""
    if isinstance(recorded, TaskCancelled | TimerCancelled | ChildCancellationRequested):
        return recorded.command
    return recorded.position


def check_command(recorded: RecordedCommand, issued: Command | None, *, position: int, sequence: int) -> None:
    """Compare one recorded command with the one the code issued.

    Raises:
        DeterminismViolation: they differ, or the code issued none by the time delivery reached the record.
    """
    same = _is_same(recorded, issued)
    if not same:
        asked = describe(issued) if issued else "nothing: it asked for no command at this position"
        raise violation(f"position {position}", sequence, _recorded_text(recorded), asked)


def _is_same(recorded: RecordedCommand, issued: Command | None) -> bool:
    match recorded, issued:
        case TaskCreated(kind=kind), ScheduleTask(kind=asked):
            return kind == asked
        case TimerStarted(), StartTimer():
            return True
        case ChildInitiated(kind=kind, name=name), StartChild() as child:
            return (kind, name) == (child.kind, child.name)
        case PromiseCreated(name=name), CreatePromise(name=asked):
            return name == asked
        case StateSet(key=key), SetState(key=asked):
            return key == asked
        case StateCleared(key=key), ClearState(key=asked):
            return key == asked
        case TaskCancelled(position=target), CancelTask(target=asked_target):
            return target == asked_target
        case TimerCancelled(position=target), CancelTimer(target=asked_target):
            return target == asked_target
        case ChildCancellationRequested(position=target), CancelChild(target=asked_target):
            return target == asked_target
        case _:
            return False


def check_operation(recorded: RecordedOperation, issued: str | None, *, sequence: int) -> None:
    """Compare a recorded `ctx.run` result with the operation of the same index.

    Raises:
        DeterminismViolation: the names differ, or the code has not called `ctx.run` that often.
    """
    if issued != recorded.name:
        asked = f"run {issued!r}" if issued is not None else "nothing: it has not called ctx.run so often"
        raise violation(f"operation {recorded.index}", sequence, f"run {recorded.name!r}", asked)


def violation(where: str, sequence: int, recorded: str, asked: str) -> DeterminismViolation:
    """The error, with a diff of the log and the code."""
    return DeterminismViolation(
        f"the workflow's code no longer matches its log at {where} (event {sequence})\n"
        f"- log:  {recorded}\n"
        f"+ code: {asked}"
    )


def _recorded_text(recorded: RecordedCommand) -> str:
    match recorded:
        case TaskCreated(kind=kind):
            return f"schedule task {kind!r}"
        case TimerStarted():
            return "start timer"
        case ChildInitiated(kind=kind, name=name):
            return f"start child workflow {kind!r}" + (f" named {name!r}" if name != kind else "")
        case PromiseCreated(name=name):
            return f"create promise {name!r}"
        case StateSet(key=key):
            return f"set state {key!r}"
        case StateCleared(key=key):
            return f"clear state {key!r}"
        case TaskCancelled(position=target):
            return f"cancel task at position {target}"
        case TimerCancelled(position=target):
            return f"cancel timer at position {target}"
        case ChildCancellationRequested(position=target):
            return f"cancel child workflow at position {target}"
