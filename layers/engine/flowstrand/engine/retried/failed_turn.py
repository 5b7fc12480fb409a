"""The turn that a failed execution failed in: what it saw, and what of its own records nothing that it saw led to.

The turn before it closed with a horizon, and everything beyond that was for the failing turn to see. Permanent failures among
that are left out of a retry. What the code did because of one of them would not fit a log without it; so of the failing turn's
own records those count only that it had asked for before it was given the first such failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import (
    ChildCancellationRequested,
    ChildFailed,
    Event,
    OperationCompleted,
    OperationFailed,
    PromiseRejected,
    PromiseTimedOut,
    TaskFailed,
    TaskStatus,
    TimerFired,
    TimerStarted,
    WorkflowSuspended,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.replay.matching import RecordedCommand, position_of
from flowstrand.engine.replay.patches import marker_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTurn:
    """What it began with.

    Attributes:
        closed_at: the sequence of the `WORKFLOW_SUSPENDED` before it; 1 where it was the first turn.
        horizon: up to where the turns before it had seen the log.
        failures: sequences of the permanent failures beyond that.
    """

    closed_at: int
    horizon: int
    failures: frozenset[int]

    @property
    def first_failure(self) -> int | None:
        """The sequence of the first of `failures`."""
        return min(self.failures, default=None)

    def could_cause(self, sequence: int) -> bool:
        """Whether one of `failures` may be why a command was recorded at `sequence`."""
        first = self.first_failure
        return first is not None and sequence > max(first, self.closed_at)


def failed_turn(events: Sequence[Event]) -> FailedTurn:
    """The turn that ended the log `events`."""
    closed_at, horizon = 1, 0
    for event in events:
        if isinstance(event.data, WorkflowSuspended):
            closed_at, horizon = event.sequence, event.data.horizon
    return FailedTurn(closed_at=closed_at, horizon=horizon, failures=frozenset(_failures(events, horizon)))


def _failures(events: Sequence[Event], horizon: int) -> Iterator[int]:
    timeouts: set[int] = set()
    cancelled: set[int] = set()
    for event in events:
        match event.data:
            case TimerStarted(position=position, is_timeout=True):
                timeouts.add(position)
            case ChildCancellationRequested(position=position):
                cancelled.add(position)
            case _ if event.sequence <= horizon:
                pass
            case TaskFailed(status=TaskStatus.FAILED) | OperationFailed() | PromiseRejected() | PromiseTimedOut():
                yield event.sequence
            case TimerFired(position=position) if position in timeouts:
                yield event.sequence
            case ChildFailed(position=position, failure_type=failure_type):
                if failure_type != FailureType.CANCELLED or position not in cancelled:  # else as was asked for
                    yield event.sequence
            case _:
                pass


def known_operations(events: Sequence[Event], turn: FailedTurn) -> frozenset[int]:
    """Sequences of the `ctx.run` results, and of patch markers, that fit a log without the failures.

    A marker always does: whenever the code asked for that patch, it was told yes.
    """
    first = turn.first_failure
    called = max((data.index for data in _operations(events, up_to=first)), default=0)

    def fits(event: Event) -> bool:
        data = event.data
        if not isinstance(data, OperationCompleted | OperationFailed) or event.sequence in turn.failures:
            return False
        if first is None or marker_of(event) is not None or event.sequence <= max(first, turn.closed_at):
            return True
        return data.index <= called or (data.issued_at is not None and data.issued_at < first)

    return frozenset(event.sequence for event in events if fits(event))


def _operations(events: Sequence[Event], *, up_to: int | None) -> Iterator[OperationCompleted | OperationFailed]:
    for event in events:
        if isinstance(event.data, OperationCompleted | OperationFailed) and event.sequence <= (up_to or 0):
            yield event.data


def command_of(event: Event) -> int | None:
    """The position of the command that `event` records; None where it records none."""
    return position_of(event.data) if isinstance(event.data, RecordedCommand) else None
