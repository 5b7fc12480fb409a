"""Ports: the control queue (wakes and due messages) and the task queues (one per org and queue name)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.queues.messages import ControlMessage, TaskMessage, Timed


class ControlQueue(Protocol):
    """At-least-once, unordered. A received message comes again after its visibility timeout unless acknowledged."""

    def send(self, messages: Sequence[ControlMessage], *, delay_ms: int = 0) -> None:
        """Send all; `delay_ms` is at most 15 minutes.

        Raises:
            StoreUnavailable: some or all may not have been sent; send them all again.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedTask:
    """A message and what its queue needs to delete it."""

    message: TaskMessage
    receipt: str


class TaskQueue(Protocol):
    """At-least-once, roughly first in first out. Raises `StoreUnavailable`.

    Messages have priorities. The queue in this process gives higher ones first; SQS knows none, so that on AWS whatever
    must not wait behind other work gets a queue of its own.
    """

    def send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        """Send all, creating the queue at need; `delay_ms` is at most 15 minutes."""
        ...

    def receive(self, org: OrgId, queue: str, *, limit: int, wait_s: float) -> Sequence[ReceivedTask]:
        """Up to `limit` (at most 10) messages; waits up to `wait_s` seconds for the first, without spinning."""
        ...

    def delete(self, org: OrgId, queue: str, received: ReceivedTask) -> None:
        """The message is dealt with."""
        ...

    def release(self, org: OrgId, queue: str, received: ReceivedTask, *, delay_ms: int = 0) -> None:
        """Give the message back: it can be received again after `delay_ms`, of at most 15 minutes."""
        ...


class StackQueue(Protocol):
    """The one queue of tasks that the stack itself runs, of every org. At-least-once. Raises `StoreUnavailable`."""

    def send(self, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        """Send all; `delay_ms` is at most 15 minutes."""
        ...


class Timers(Protocol):
    """Sends due messages to the control queue at their time, or a little after, at least once."""

    def at(self, due: Timed, at_ms: int) -> None:
        """Send `due` when the clock reads `at_ms` (epoch milliseconds); a past moment means now."""
        ...
