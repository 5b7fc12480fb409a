"""`HostedTasks`: which tasks the stack runs by itself, and which wait for workers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from flowstrand.engine.ids import OrgId
from flowstrand.queues.messages import TaskMessage
from flowstrand.queues.port import ReceivedTask, StackQueue, TaskQueue


class HostedTasks:
    """A `TaskQueue`. Of one queue name, tasks whose code is deployed go to the stack's own queue; all others are workers'.

    An event source needs a queue that is there from the start, while workers' queues are one per org and made when they are
    first used; so there is one for all orgs, and messages say whose they are.
    """

    def __init__(
        self, workers: TaskQueue, stack: StackQueue, *, queue: str, kinds: Callable[[], Collection[str]]
    ) -> None:
        """`kinds` are those of the deployed tasks; asked for when something is sent to `queue`."""
        self._workers = workers
        self._stack = stack
        self._name = queue
        self._kinds = kinds

    def send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        """Send all, each to whoever runs it."""
        kinds = self._kinds() if queue == self._name else ()
        hosted = [message for message in messages if message.kind in kinds]
        if hosted:
            self._stack.send(hosted, delay_ms=delay_ms)
        others = [message for message in messages if message.kind not in kinds]
        if others:
            self._workers.send(org, queue, others, delay_ms=delay_ms)

    def receive(self, org: OrgId, queue: str, *, limit: int, wait_s: float) -> Sequence[ReceivedTask]:
        """See `TaskQueue.receive`: what is left to workers."""
        return self._workers.receive(org, queue, limit=limit, wait_s=wait_s)

    def delete(self, org: OrgId, queue: str, received: ReceivedTask) -> None:
        """See `TaskQueue.delete`."""
        self._workers.delete(org, queue, received)

    def release(self, org: OrgId, queue: str, received: ReceivedTask, *, delay_ms: int = 0) -> None:
        """See `TaskQueue.release`."""
        self._workers.release(org, queue, received, delay_ms=delay_ms)
