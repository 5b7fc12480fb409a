"""`StopTasks`: a task queue whose waiting receivers can be told that the server is stopping."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from flowstrand.engine.ids import OrgId
from flowstrand.errors import Unavailable
from flowstrand.queues.in_process import InProcessTaskQueue
from flowstrand.queues.messages import TaskMessage
from flowstrand.queues.port import ReceivedTask


class StopTasks:
    """A `TaskQueue` around the in-process one. After `stop`, a poll is answered 503, and its worker asks elsewhere."""

    def __init__(self, inner: InProcessTaskQueue) -> None:
        self._inner = inner
        self._stopped = threading.Event()

    def send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        """See `TaskQueue.send`."""
        self._inner.send(org, queue, messages, delay_ms=delay_ms)

    def receive(self, org: OrgId, queue: str, *, limit: int, wait_s: float) -> Sequence[ReceivedTask]:
        """See `TaskQueue.receive`.

        Raises:
            Unavailable: the server is stopping.
        """
        received = self._inner.receive(org, queue, limit=limit, wait_s=wait_s)
        # An empty answer would be asked for again at once, until the wait is over.
        if not received and self._stopped.is_set():
            raise Unavailable("the server is stopping", retry_after_s=1)
        return received

    def delete(self, org: OrgId, queue: str, received: ReceivedTask) -> None:
        """See `TaskQueue.delete`."""
        self._inner.delete(org, queue, received)

    def release(self, org: OrgId, queue: str, received: ReceivedTask, *, delay_ms: int = 0) -> None:
        """See `TaskQueue.release`."""
        self._inner.release(org, queue, received, delay_ms=delay_ms)

    def stop(self) -> None:
        """End every wait, now and from now on."""
        self._stopped.set()
        self._inner.close()
