"""`ExecutionState`: the open work of one execution, folded from its log. What a decision needs, and no history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import field

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids
from flowstrand.engine.events import (
    EventType,
    ParentClosePolicy,
    ParentRef,
    RetryOf,
    RetryPolicy,
    SuspendType,
    TaskStatus,
    WaitGroup,
    WorkflowStatus,
)
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.trace_context import TraceContext
from flowstrand.jsonvalue import JsonObject

_STATUS_OF_END = {
    EventType.WORKFLOW_COMPLETED: WorkflowStatus.COMPLETED,
    EventType.WORKFLOW_FAILED: WorkflowStatus.FAILED,
    EventType.WORKFLOW_CANCELLED: WorkflowStatus.CANCELLED,
    EventType.TASK_COMPLETED: WorkflowStatus.COMPLETED,
    EventType.TASK_FAILED: WorkflowStatus.FAILED,
    EventType.TASK_CANCELLED: WorkflowStatus.CANCELLED,
}

REMEMBERED_REQUESTS = 256
"""How many request ids of each sort a log remembers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """A task that has not ended.

    Attributes:
        attempts: how many attempts have been started.
        deadline_at_ms: when it fails for good, whatever becomes of its attempts.
        ends_at_ms: when the running attempt is given up, whatever is heard of it.
        status: PENDING while the next attempt may be claimed from `due_at_ms` on; RUNNING while the lease of attempt
            `attempts` lasts until `due_at_ms`.
        created_at: the sequence of its `TASK_CREATED`, which holds its input.
        changed_at: the sequence of its newest event; the effect that event asks for is open while the task is.
    """

    position: int
    task_execution_id: str
    kind: str
    queue: str
    retry: RetryPolicy
    attempts: int
    status: TaskStatus
    due_at_ms: EpochMs
    worker_id: str | None = None
    deadline_at_ms: EpochMs | None = None
    start_to_close_ms: int | None = None
    heartbeat_timeout_ms: int | None = None
    priority: int | None = None
    ends_at_ms: EpochMs | None = None
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTimer:
    """A timer that has neither fired nor been cancelled."""

    position: int
    timer_id: str
    fire_at_ms: EpochMs
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPromise:
    """A promise that has not been settled."""

    position: int
    promise_id: str
    name: str
    key: str | None = None
    timeout_at_ms: EpochMs | None = None
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenChild:
    """A child workflow that is not known to have ended.

    Attributes:
        initiated_at: the sequence of its `CHILD_WORKFLOW_INITIATED`, which holds its input and timeout.
        cancel_at: the sequence of the newest request that it be cancelled, or None.
        is_forced: whether it is to be ended at once.
        is_cancel_failed: whether it was found that it cannot be told.
        is_adopted: whether it was begun by the execution that this one is a retry of, and went on after that had ended.
    """

    position: int
    child_workflow_id: str
    kind: str
    name: str
    queue: str
    is_started: bool
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.CANCEL
    cancel_at: int | None = None
    is_forced: bool = False
    is_cancel_failed: bool = False
    is_adopted: bool = False
    initiated_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """An operation's end that the code may not have seen."""

    sequence: int
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """What a running attempt has emitted so far: how many chunks, and the bytes of their values."""

    chunks: int = 0
    size: int = 0


@dataclass(slots=True, kw_only=True)
class ExecutionState:
    """The fold of a log up to `sequence`. Treat it as immutable: `evolve` returns another.

    The log of a standalone task folds to the same: a strand whose root is not workflow code but a task, its only one.

    Attributes:
        workflow_execution_id: the execution's id, or the standalone task's.
        trace: whose trace it belongs to, if anybody's.
        retry_of: the failed execution from whose history this one began.
        is_copying: whether that history is still to come, or the rest of it. Nothing happens before it is there.
        turn_marker: the newest of RESUMED and SUSPENDED in the log, or None before both.
        has_begun: whether any turn has committed anything.
        horizon: of the newest SUSPENDED; 0 before it.
        waits: of the newest SUSPENDED.
        settlements: operations that settled beyond `horizon`, by position.
        signals: names of the signals beyond `horizon`, by sequence.
        observed: sequences beyond `horizon` of events that code can observe.
        timeout_at_ms: when the execution fails if it is still open.
        cancel_requested_at: the sequence of `CANCELLATION_REQUESTED`, once there is one.
        is_cancel_cascading: whether its children are asked as well.
        values: the workflow's own state: for each key, the sequence of the event that set it.
        requests: the newest `REMEMBERED_REQUESTS` request ids of signals, cancels and retries, oldest first, each with
            the sequence of its event: the answer to a repetition.
        chunk_requests: the same for chunks of running tasks, by `chunk_request`, each with the sequence of its last
            event. They come by the hundred, and must not make the others be forgotten.
        streamed: what the running attempts of open tasks have emitted, by position; of those that have emitted anything.
        closed: the terminal event's type, once there is one.
        continued_as: the execution that this one continued as.
    """

    workflow_execution_id: str
    kind: str
    queue: str
    version: str | None = None
    metadata: JsonObject | None = None
    parent: ParentRef | None = None
    trace: TraceContext | None = None
    created_at_ms: int
    timeout_at_ms: EpochMs | None = None
    sequence: int
    timestamp_ms: int
    retry_of: RetryOf | None = None
    is_copying: bool = False
    turn_marker: EventType | None = None
    has_begun: bool = False
    horizon: int = 0
    waits: tuple[WaitGroup, ...] = ()
    tasks: dict[int, OpenTask] = field(default_factory=dict)
    timers: dict[int, OpenTimer] = field(default_factory=dict)
    promises: dict[int, OpenPromise] = field(default_factory=dict)
    children: dict[int, OpenChild] = field(default_factory=dict)
    settlements: dict[int, Settlement] = field(default_factory=dict)
    signals: dict[int, str] = field(default_factory=dict)
    observed: tuple[int, ...] = ()
    cancel_requested_at: int | None = None
    is_cancel_cascading: bool = True
    values: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    chunk_requests: dict[str, int] = field(default_factory=dict)
    streamed: dict[int, Streamed] = field(default_factory=dict)
    closed: EventType | None = None
    continued_as: str | None = None

    @property
    def is_task(self) -> bool:
        """Whether this is a standalone task: there is no code to run, and the end of the task is the end of the log."""
        return ids.is_standalone_task(self.workflow_execution_id)

    @property
    def is_suspended(self) -> bool:
        """Whether the last turn closed with a wait."""
        return self.turn_marker is EventType.WORKFLOW_SUSPENDED

    @property
    def is_runnable(self) -> bool:
        """Whether there is something for the code to do: a function of the log, never of a message (law 8)."""
        if self.closed or self.is_copying or self.is_task:
            return False
        return not self.is_suspended or self.is_released_by(self.sequence)

    @property
    def status(self) -> WorkflowStatus:
        """PENDING before the first turn, RUNNING while runnable, else WAITING; CANCELLING once asked; or how it ended.

        Of a standalone task, PENDING or RUNNING as the task is.
        """
        if self.closed:
            return _STATUS_OF_END[self.closed]
        if self.is_task:
            return WorkflowStatus(self.tasks[ids.ROOT].status)
        if self.is_copying:
            return WorkflowStatus.PENDING
        if self.cancel_requested_at is not None:
            return WorkflowStatus.CANCELLING
        if not self.has_begun:
            return WorkflowStatus.PENDING
        return WorkflowStatus.RUNNING if self.is_runnable else WorkflowStatus.WAITING

    @property
    def suspend_type(self) -> SuspendType | None:
        """What it waits for first, while it is WAITING: of its first group, whatever is still open."""
        if self.status is not WorkflowStatus.WAITING or not self.waits:
            return None
        open_work: dict[SuspendType, Collection[int]] = {
            SuspendType.TASK: self.tasks,
            SuspendType.TIMER: self.timers,
            SuspendType.PROMISE: self.promises,
            SuspendType.CHILD_WORKFLOW: self.children,
        }
        awaited = self.waits[0].positions()
        first = min(
            (position for opened in open_work.values() for position in opened if position in awaited), default=None
        )
        return next((kind for kind, opened in open_work.items() if first in opened), SuspendType.SIGNAL)

    def copy(self) -> ExecutionState:
        """One to fold into: whatever is done to it, nothing of it shows here."""
        copied = object.__new__(ExecutionState)
        for name in ExecutionState.__slots__:
            value = getattr(self, name)
            setattr(copied, name, dict(value) if isinstance(value, dict) else value)
        return copied

    def is_released_by(self, sequence: int) -> bool:
        """Whether an event beyond the horizon and up to `sequence` satisfies one of the recorded waits."""
        is_cancelled = self.cancel_requested_at is not None and self.horizon < self.cancel_requested_at <= sequence
        if is_cancelled and any(not group.shielded for group in self.waits):
            return True
        if not self.settlements and not self.signals:
            return False
        arrived = Counter(name for received, name in self.signals.items() if self.horizon < received <= sequence)
        return any(self._is_released(group, arrived, sequence) for group in self.waits)

    def _is_released(self, group: WaitGroup, arrived: Counter[str], up_to: int) -> bool:
        members = group.positions()
        ends = self.settlements.items()  # what has settled since the last turn, mostly far less than is waited for
        settled = [end for position, end in ends if position in members and end.sequence <= up_to]
        if group.any_of:
            return bool(settled) or any(name in arrived for name in group.signals or ())
        if not group.settled and any(member.failed for member in settled):
            return True
        # A signal that another branch takes releases this group too: a turn that finds nothing to do, not a lost wake-up.
        return len(settled) == len(members) and Counter(group.signals or ()) <= arrived


def chunk_request(task_execution_id: str, attempt: int, request_id: str) -> str:
    """What a request for chunks is remembered as: its id counts within one attempt of one task only."""
    return f"{task_execution_id.rpartition('.')[2]}.{attempt}.{request_id}"


def unseen_after(state: ExecutionState, horizon: int) -> tuple[int, ...]:
    """Sequences beyond `horizon` of events that the code could have observed."""
    return tuple(sequence for sequence in state.observed if sequence > horizon)


def open_positions(state: ExecutionState) -> Iterable[int]:
    """Positions of open tasks, timers and children, in order."""
    return sorted([*state.tasks, *state.timers, *state.children])
