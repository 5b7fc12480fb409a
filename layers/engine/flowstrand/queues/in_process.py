"""Queues in this process's memory, for the local server and tests. What they hold is lost with the process.

Nothing durable is lost with them: messages carry no truth (law 7), and the sweep at start-up wakes every open execution,
whose handling sends every open effect again (law 8).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.queues.messages import ControlMessage, TaskMessage
from flowstrand.queues.port import ReceivedTask
from flowstrand.queues.visibility import VisibilityQueue
from flowstrand.service.clock import Clock

_TASK_VISIBILITY_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A control message and what its queue needs to acknowledge it.

    Attributes:
        receive_count: how often it has been delivered, this time included.
    """

    message: ControlMessage
    receipt: str
    receive_count: int


class InProcessControlQueue:
    """A `ControlQueue` that the resumer's loop in the same process receives from. Thread-safe."""

    def __init__(self, clock: Clock, visibility_ms: int) -> None:
        """An unacknowledged message comes again after `visibility_ms`."""
        self._queue: VisibilityQueue[ControlMessage] = VisibilityQueue(clock, visibility_ms=visibility_ms)

    def send(self, messages: Sequence[ControlMessage], *, delay_ms: int = 0) -> None:
        """Send all. Unlike SQS it takes a delay of any length, which is what `InProcessTimers` is built on."""
        self._queue.put(messages, delay_ms=delay_ms)

    def receive(self, limit: int, wait_s: float) -> list[Received]:
        """Up to `limit` messages; waits up to `wait_s` seconds for the first, without spinning."""
        return [
            Received(message=taken.message, receipt=taken.receipt, receive_count=taken.receive_count)
            for taken in self._queue.take(limit=limit, wait_s=wait_s)
        ]

    def acknowledge(self, received: Received) -> None:
        """The message is dealt with."""
        self._queue.remove(received.receipt)

    def release(self, received: Received, delay_ms: int = 0) -> None:
        """Let the message come again `delay_ms` from now: a retry's backoff, or more time for slow work."""
        self._queue.release(received.receipt, delay_ms=delay_ms)

    def next_at_ms(self) -> int | None:
        """When the next message is or becomes receivable (epoch ms); where virtual time may jump to."""
        return self._queue.next_at_ms()

    def close(self) -> None:
        """Receivers stop waiting."""
        self._queue.close()

    def __len__(self) -> int:
        """How many messages are not acknowledged."""
        return len(self._queue)


class InProcessTaskQueue:
    """A `TaskQueue`: of what can be received, higher priorities first. Thread-safe.

    An attempt that already waits in its queue is not queued twice.
    """

    def __init__(self, clock: Clock, *, visibility_ms: int = _TASK_VISIBILITY_MS) -> None:
        """A received message that is not deleted comes again after `visibility_ms`."""
        self._clock = clock
        self._visibility_ms = visibility_ms
        self._lock = threading.Lock()
        self._closed = False
        self._queues: dict[tuple[OrgId, str], VisibilityQueue[TaskMessage]] = {}

    def send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        """Send all; one that waits already keeps the earlier of the two moments."""
        self._queue(org, queue).put(messages, delay_ms=delay_ms)

    def receive(self, org: OrgId, queue: str, *, limit: int, wait_s: float) -> Sequence[ReceivedTask]:
        """Up to `limit` messages; waits up to `wait_s` seconds for the first, without spinning."""
        taken = self._queue(org, queue).take(limit=limit, wait_s=wait_s)
        return [ReceivedTask(message=one.message, receipt=one.receipt) for one in taken]

    def delete(self, org: OrgId, queue: str, received: ReceivedTask) -> None:
        """The message is dealt with."""
        self._queue(org, queue).remove(received.receipt)

    def release(self, org: OrgId, queue: str, received: ReceivedTask, *, delay_ms: int = 0) -> None:
        """Give the message back: it can be received again after `delay_ms`."""
        self._queue(org, queue).release(received.receipt, delay_ms=delay_ms)

    def next_at_ms(self, org: OrgId, queue: str) -> int | None:
        """When the next message is or becomes receivable (epoch ms)."""
        return self._queue(org, queue).next_at_ms()

    def close(self) -> None:
        """Receivers stop waiting."""
        with self._lock:
            self._closed = True
            queues = list(self._queues.values())
        for queue in queues:
            queue.close()

    def _queue(self, org: OrgId, queue: str) -> VisibilityQueue[TaskMessage]:
        with self._lock:
            found = self._queues.get((org, queue))
            if found is None:
                found = VisibilityQueue(
                    self._clock,
                    visibility_ms=self._visibility_ms,
                    unique=True,
                    priority=lambda task: task.priority,
                )
                if self._closed:
                    found.close()
                self._queues[org, queue] = found
            return found
