"""The queues of one world: the in-process ones, which here know what they hold, and deliver as badly as planned."""

from __future__ import annotations

from collections.abc import Sequence

from flowstrand.engine.ids import OrgId
from flowstrand.queues.in_process import InProcessControlQueue, InProcessTaskQueue
from flowstrand.queues.messages import ControlMessage, TaskMessage, Wake
from flowstrand.service.clock import Clock
from flowstrand.testing.faults import EngineFaults


class UnreliableControlQueue(InProcessControlQueue):
    """A control queue whose wakes come late or repeatedly where that is planned."""

    def __init__(self, clock: Clock, visibility_ms: int, faults: EngineFaults) -> None:
        super().__init__(clock, visibility_ms)
        self._faults = faults

    def send(self, messages: Sequence[ControlMessage], *, delay_ms: int = 0) -> None:
        """See `ControlQueue.send`."""
        for message in messages:
            later_ms, copies = self._faults.next_wake() if isinstance(message, Wake) else (0, 1)
            super().send([message] * copies, delay_ms=delay_ms + later_ms)


class KnownTaskQueues(InProcessTaskQueue):
    """Task queues that can be listed.

    Attributes:
        names: of every queue that was ever sent to, in that order.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.names: list[str] = []

    def send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        """See `TaskQueue.send`."""
        if queue not in self.names:
            self.names.append(queue)
        super().send(org, queue, messages, delay_ms=delay_ms)
