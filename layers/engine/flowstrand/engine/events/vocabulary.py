"""The words events are made of: types, families, statuses and the values that several events share."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from flowstrand.dataclass import dataclass


class Family(StrEnum):
    """What kind of thing an event is about; the first word of its public names."""

    WORKFLOW = "workflow"
    TASK = "task"
    TIMER = "timer"
    PROMISE = "promise"
    SIGNAL = "signal"
    CHILD = "child"
    OPERATION = "operation"
    STATE = "state"
    CONTROL = "control"
    STREAM = "stream"


class EventType(StrEnum):
    """Every name an event can have."""

    WORKFLOW_STARTED = "WORKFLOW_STARTED"
    WORKFLOW_SUSPENDED = "WORKFLOW_SUSPENDED"
    WORKFLOW_RESUMED = "WORKFLOW_RESUMED"
    WORKFLOW_COMPLETED = "WORKFLOW_COMPLETED"
    WORKFLOW_FAILED = "WORKFLOW_FAILED"
    WORKFLOW_CANCELLED = "WORKFLOW_CANCELLED"
    TASK_CREATED = "TASK_CREATED"
    TASK_STARTED = "TASK_STARTED"
    TASK_COMPLETED = "TASK_COMPLETED"
    TASK_FAILED = "TASK_FAILED"
    TASK_CANCELLED = "TASK_CANCELLED"
    TIMER_STARTED = "TIMER_STARTED"
    TIMER_FIRED = "TIMER_FIRED"
    TIMER_CANCELLED = "TIMER_CANCELLED"
    PROMISE_CREATED = "PROMISE_CREATED"
    PROMISE_RESOLVED = "PROMISE_RESOLVED"
    PROMISE_REJECTED = "PROMISE_REJECTED"
    PROMISE_TIMED_OUT = "PROMISE_TIMED_OUT"
    SIGNAL_RECEIVED = "SIGNAL_RECEIVED"
    CHILD_WORKFLOW_INITIATED = "CHILD_WORKFLOW_INITIATED"
    CHILD_WORKFLOW_STARTED = "CHILD_WORKFLOW_STARTED"
    CHILD_WORKFLOW_COMPLETED = "CHILD_WORKFLOW_COMPLETED"
    CHILD_WORKFLOW_FAILED = "CHILD_WORKFLOW_FAILED"
    CHILD_WORKFLOW_CANCELLATION_REQUESTED = "CHILD_WORKFLOW_CANCELLATION_REQUESTED"
    CHILD_WORKFLOW_CANCELLATION_FAILED = "CHILD_WORKFLOW_CANCELLATION_FAILED"
    OPERATION_COMPLETED = "OPERATION_COMPLETED"
    OPERATION_FAILED = "OPERATION_FAILED"
    STATE_SET = "STATE_SET"
    STATE_CLEARED = "STATE_CLEARED"
    CANCELLATION_REQUESTED = "CANCELLATION_REQUESTED"
    RETRY_REQUESTED = "RETRY_REQUESTED"
    STREAM_TOKEN = "STREAM_TOKEN"
    STREAM_PROGRESS = "STREAM_PROGRESS"
    STREAM_DATA = "STREAM_DATA"
    STREAM_ERROR = "STREAM_ERROR"


TERMINAL_TYPES = frozenset({EventType.WORKFLOW_COMPLETED, EventType.WORKFLOW_FAILED, EventType.WORKFLOW_CANCELLED})
"""Nothing follows these (law 4). What ends the log of a standalone task also ends tasks of executions: `Event.is_terminal` tells."""


class WorkflowStatus(StrEnum):
    """PENDING before the first turn, RUNNING while runnable, else WAITING; then how it ended."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class TaskStatus(StrEnum):
    """PENDING while an attempt is to be claimed, RUNNING while one is claimed; then how it ended."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class SuspendType(StrEnum):
    """What a suspended execution waits for first."""

    TASK = "TASK"
    TIMER = "TIMER"
    PROMISE = "PROMISE"
    SIGNAL = "SIGNAL"
    CHILD_WORKFLOW = "CHILD_WORKFLOW"


class FailureType(StrEnum):
    """Why something failed, for programs."""

    ERROR = "ERROR"
    """User code raised."""
    LEASE_EXPIRED = "LEASE_EXPIRED"
    """A worker fell silent."""
    CANCELLED = "CANCELLED"
    """A child workflow was cancelled."""
    DETERMINISM_VIOLATION = "DETERMINISM_VIOLATION"
    """The code no longer matches its log."""
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    """The execution asked for more than one execution may hold."""
    INVALID_WORKFLOW = "INVALID_WORKFLOW"
    """The input or output does not fit the workflow's declared types."""
    TIMEOUT = "TIMEOUT"
    """A deadline, a start-to-close or a heartbeat timeout has passed."""
    ALREADY_EXISTS = "ALREADY_EXISTS"
    """The id that a child workflow was to have is another execution's."""
    POISON = "POISON"
    """The code ended the process, again and again."""


class ParentClosePolicy(StrEnum):
    """What becomes of a child that is open when its parent ends."""

    CANCEL = "CANCEL"
    """It is asked to cancel."""
    TERMINATE = "TERMINATE"
    """It is ended at once, without running its code."""
    ABANDON = "ABANDON"
    """It goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """An exception as data.

    Attributes:
        type: the exception's class name, or a name the reporter chose.
        stack: a formatted traceback, for people.
        retryable: false where whoever raised it said that trying again cannot help.
    """

    type: str
    message: str
    stack: str | None = None
    retryable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentRef:
    """Where a child workflow was asked for: its parent's id and the position of the command there."""

    workflow_execution_id: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOf:
    """The failed execution that another begins from the history of, and who asked for that.

    Attributes:
        sequence: of the failed one's last event.
        origin: the first of the executions that were retried one after the other. Chance is drawn from its id, so that what
            was done under an id that the code made up is gone on with under the same.
        reason: for people.
    """

    workflow_execution_id: str
    sequence: int
    origin: str
    reason: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long to wait before the next attempt: exponential, with full or no jitter, saturating.

    Attributes:
        max_retries: attempts after the first; 0 means none.
        initial_ms: the delay before attempt 2, in milliseconds.
        multiplier: what each further delay is multiplied by.
        max_ms: no delay is longer.
        jitter: the share of the delay, 0 to 1, that is drawn at random below it.
        non_retryable: types of errors after which there is no further attempt.
    """

    max_retries: int = 3
    initial_ms: int = 1_000
    multiplier: float = 2.0
    max_ms: int = 60_000
    jitter: float = 0.2
    non_retryable: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitGroup:
    """Operations and signals that workflow code awaits together; it goes on when all have settled, or as its flags say.

    Attributes:
        operations: positions of the operations, as ranges: `"1-3,7"`; empty where only signals are awaited.
        settled: if true, a member's failure does not release the group early.
        any_of: if true, the first member that settles releases the group.
        signals: names of the signals awaited, one for each.
        shielded: if true, a cancellation request does not release the group.
    """

    operations: str
    settled: bool | None = None
    any_of: bool | None = None
    signals: tuple[str, ...] | None = None
    shielded: bool | None = None

    @classmethod
    def of(
        cls,
        positions: frozenset[int],
        *,
        settled: bool = False,
        any_of: bool = False,
        signals: tuple[str, ...] = (),
        shielded: bool = False,
    ) -> WaitGroup:
        """The group over `positions` and `signals`."""
        return cls(
            operations=_ranges(sorted(positions)),
            settled=settled or None,
            any_of=any_of or None,
            signals=signals or None,
            shielded=shielded or None,
        )

    def positions(self) -> frozenset[int]:
        """The positions that `operations` names."""
        return _positions(self.operations)


@lru_cache(maxsize=64)  # each report to an execution asks again whether it releases the same groups
def _positions(ranges: str) -> frozenset[int]:
    found: set[int] = set()
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _ranges(positions: list[int]) -> str:
    parts: list[str] = []
    start = previous = None
    for position in [*positions, None]:
        if start is not None and previous is not None and position != previous + 1:
            parts.append(str(start) if start == previous else f"{start}-{previous}")
            start = None
        if start is None:
            start = position
        previous = position
    return ",".join(parts)
