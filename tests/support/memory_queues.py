"""Queues and timers in lists. They decide nothing: a test picks what is delivered when, how often and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flowstrand.engine.ids import OrgId
from flowstrand.queues.messages import ControlMessage, TaskMessage, Timed
from flowstrand.queues.port import ReceivedTask
from flowstrand.service.clock import Clock
from tests.support.port_call import PortCall, untouched

M = TypeVar("M")


@dataclass(slots=True, eq=False)
class Envelope(Generic[M]):
    """A message, when it may be delivered next (epoch milliseconds), and the receipt of its last delivery."""

    message: M
    visible_at_ms: int
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class QueuedTask:
    """A task message and the queue it is in."""

    org: OrgId
    queue: str
    message: TaskMessage


class Mail:
    """Every message under way, whichever process sent it.

    Attributes:
        control: wakes, and due messages whose moment the timers have set.
        tasks: attempts to be claimed.
        deliveries: how many task messages have been delivered.
    """

    def __init__(self) -> None:
        self.deliveries = 0
        self.control: list[Envelope[ControlMessage]] = []
        self.tasks: list[Envelope[QueuedTask]] = []

    def clear(self) -> None:
        """Lose everything, as queues in memory do when their process ends."""
        self.control.clear()
        self.tasks.clear()

    def moments(self) -> list[int]:
        """When each message may be delivered."""
        return [e.visible_at_ms for e in self.control] + [e.visible_at_ms for e in self.tasks]


class MemoryControl:
    """A `ControlQueue`."""

    def __init__(self, mail: Mail, clock: Clock, call: PortCall = untouched) -> None:
        self._mail = mail
        self._clock = clock
        self._call = call

    def send(self, messages: Sequence[ControlMessage], *, delay_ms: int = 0) -> None:
        self._call("control.send", lambda: self._send(messages, delay_ms))

    def _send(self, messages: Sequence[ControlMessage], delay_ms: int) -> None:
        at_ms = self._clock.now_ms() + delay_ms
        self._mail.control += [Envelope(message, at_ms) for message in messages]


class MemoryTimers:
    """`Timers`, as due messages with a delay. What is armed for the same moment is armed once."""

    def __init__(self, mail: Mail, call: PortCall = untouched) -> None:
        self._mail = mail
        self._call = call

    def at(self, due: Timed, at_ms: int) -> None:
        self._call("timers.at", lambda: self._at(due, at_ms))

    def _at(self, due: Timed, at_ms: int) -> None:
        armed = any(e.message == due and e.visible_at_ms == at_ms for e in self._mail.control)
        if not armed:
            self._mail.control.append(Envelope(due, at_ms))


class MemoryTasks:
    """A `TaskQueue`; `receive` takes visible messages from the front and hides them for `visibility_ms`."""

    def __init__(
        self, mail: Mail, clock: Clock, call: PortCall = untouched, *, visibility_ms: int = 30_000
    ) -> None:
        self._mail = mail
        self._clock = clock
        self._call = call
        self._visibility_ms = visibility_ms

    def send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        self._call("tasks.send", lambda: self._send(org, queue, messages, delay_ms))

    def receive(self, org: OrgId, queue: str, *, limit: int, wait_s: float) -> Sequence[ReceivedTask]:
        return self._call("tasks.receive", lambda: self._receive(org, queue, limit))

    def delete(self, org: OrgId, queue: str, received: ReceivedTask) -> None:
        self._call("tasks.delete", lambda: self._delete(received))

    def release(self, org: OrgId, queue: str, received: ReceivedTask, *, delay_ms: int = 0) -> None:
        self._call("tasks.release", lambda: self._release(received, delay_ms))

    def _release(self, received: ReceivedTask, delay_ms: int) -> None:
        for envelope in self._mail.tasks:
            if envelope.receipt == received.receipt:
                envelope.visible_at_ms = self._clock.now_ms() + delay_ms

    def _send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], delay_ms: int) -> None:
        at_ms = self._clock.now_ms() + delay_ms
        self._mail.tasks += [Envelope(QueuedTask(org, queue, message), at_ms) for message in messages]

    def _receive(self, org: OrgId, queue: str, limit: int) -> list[ReceivedTask]:
        now_ms = self._clock.now_ms()
        received: list[ReceivedTask] = []
        for envelope in self._mail.tasks:
            queued = envelope.message
            wanted = envelope.visible_at_ms <= now_ms and (org, queue) == (queued.org, queued.queue)
            if wanted and len(received) < limit:
                envelope.visible_at_ms = now_ms + self._visibility_ms
                self._mail.deliveries += 1
                envelope.receipt = str(self._mail.deliveries)
                received.append(ReceivedTask(message=queued.message, receipt=envelope.receipt))
        return received

    def _delete(self, received: ReceivedTask) -> None:
        self._mail.tasks[:] = [e for e in self._mail.tasks if e.receipt != received.receipt]
