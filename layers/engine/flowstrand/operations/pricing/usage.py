"""`Usage`: what an execution has used, counted in its log.

Its commits tell most of it: each was one write, of a size, by one function that was called by a request or by a message. What
they do not tell, such as how often somebody read, is assumed: see `prices.json`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import Event, EventType, Family, TaskFailed, TaskStatus, TimerStarted
from flowstrand.histories.history import History
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit

_KB = 1_024
_ATTRIBUTES = 130
"""Bytes of a commit's item besides its events: names of the attributes, the key, and numbers."""
_SQS_DELAY_MS = 900_000
"""Timers beyond that are EventBridge Scheduler's."""
_TURN = frozenset(
    {
        EventType.WORKFLOW_SUSPENDED,
        EventType.WORKFLOW_RESUMED,
        EventType.WORKFLOW_COMPLETED,
        EventType.WORKFLOW_FAILED,
        EventType.OPERATION_COMPLETED,
        EventType.OPERATION_FAILED,
    }
)
_BY_MESSAGE = frozenset(
    {
        EventType.TIMER_FIRED,
        EventType.PROMISE_TIMED_OUT,
        EventType.CHILD_WORKFLOW_STARTED,
        EventType.CHILD_WORKFLOW_COMPLETED,
        EventType.CHILD_WORKFLOW_FAILED,
    }
)
_WITHOUT_SAFETY = frozenset(
    {EventType.WORKFLOW_SUSPENDED, EventType.WORKFLOW_RESUMED, EventType.CHILD_WORKFLOW_STARTED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Amounts. Adding two gives that of both.

    Attributes:
        log_write_units: of the log's table: each commit's size in KB, rounded up.
        log_bytes: of all commits.
        requests: that API Gateway got: starts, polls that claimed, reports, chunks, signals and the like.
        messages: that went through SQS: wakes, safety wakes, what came due, attempts.
        resumptions: messages that the resumer got; attempts are for workers.
        scheduled: moments further away than SQS reaches.
        payloads, payload_bytes: that were stored beside the log.
    """

    executions: int = 0
    events: int = 0
    commits: int = 0
    log_write_units: int = 0
    log_bytes: int = 0
    requests: int = 0
    messages: int = 0
    resumptions: int = 0
    attempts: int = 0
    scheduled: int = 0
    payloads: int = 0
    payload_bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.__slots__})


def usage_of(histories: Iterable[History]) -> Usage:
    """What executions have used together."""
    return sum(map(_of, histories), start=Usage())


def _of(history: History) -> Usage:
    total = Usage(executions=1, payloads=len(history.references), payload_bytes=sum(history.references.values()))
    is_child = history.state.parent is not None
    for commit in history.commits:
        total += _of_commit(commit, unpack_events(commit), is_child=is_child)
    return total


def _of_commit(commit: Commit, events: Sequence[Event], *, is_child: bool) -> Usage:
    size = len(commit.events) + _ATTRIBUTES
    types = {event.type for event in events}
    attempts = sum(event.type is EventType.TASK_STARTED for event in events)
    is_requested = _is_requested(events, types, is_child=is_child)
    due = _moments(commit, events)
    far = sum(at_ms - commit.written_at_ms > _SQS_DELAY_MS for at_ms in due)
    # A request's commit sends one wake; every commit that may have effects gets a second from the projector.
    wakes = int(is_requested and any(event.family is not Family.STREAM for event in events))
    safety = int(any(event.family is not Family.STREAM and event.type not in _WITHOUT_SAFETY for event in events))
    queued = sum(event.type is EventType.TASK_CREATED or _is_retried(event) for event in events)
    resumptions = wakes + safety + len(due)
    return Usage(
        events=len(events),
        commits=1,
        log_write_units=math.ceil(size / _KB),
        log_bytes=size,
        requests=int(is_requested),
        messages=resumptions + queued,
        resumptions=resumptions,
        attempts=attempts,
        scheduled=far,
    )


def _is_requested(events: Sequence[Event], types: set[EventType], *, is_child: bool) -> bool:
    """Whether a request of a client or a worker led to a commit, rather than a message."""
    if EventType.WORKFLOW_STARTED in types:
        return not is_child
    if types & _TURN or types & _BY_MESSAGE:
        return False
    return bool(events)


def _moments(commit: Commit, events: Sequence[Event]) -> list[int]:
    """What comes due because of a commit: the end of a lease, a retry, a timer."""
    found: list[int] = []
    for event in events:
        data = event.data
        if event.type is EventType.TASK_STARTED:
            lease_ends_at_ms = getattr(data, "lease_ends_at_ms", None)
            found.append(commit.written_at_ms if lease_ends_at_ms is None else int(lease_ends_at_ms))
        elif isinstance(data, TimerStarted):
            found.append(int(data.fire_at_ms))
    return found


def _is_retried(event: Event) -> bool:
    return isinstance(event.data, TaskFailed) and event.data.status is TaskStatus.PENDING
