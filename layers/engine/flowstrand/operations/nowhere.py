"""Ports that lead nowhere: an operator's tool runs no code, claims no task and follows no stream."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.program import Program
from flowstrand.errors import ConfigurationError
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import ControlMessage, TaskMessage, Timed
from flowstrand.queues.port import ReceivedTask


class NoControlQueue:
    """A `ControlQueue` of a place whose queues are in the memory of its server."""

    def send(self, messages: Sequence[ControlMessage], *, delay_ms: int = 0) -> None:  # noqa: ARG002 - the port's
        """Refuse."""
        raise ConfigurationError("there is no queue to send to from here")


class NoTaskQueue:
    """A `TaskQueue`."""

    def send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:  # noqa: ARG002
        """Refuse."""
        raise ConfigurationError("there is no task queue here")

    def receive(self, org: OrgId, queue: str, *, limit: int, wait_s: float) -> Sequence[ReceivedTask]:  # noqa: ARG002
        """Nothing."""
        return ()

    def delete(self, org: OrgId, queue: str, received: ReceivedTask) -> None:
        """Nothing was received."""

    def release(self, org: OrgId, queue: str, received: ReceivedTask, *, delay_ms: int = 0) -> None:
        """Nothing was received."""


class NoTimers:
    """`Timers`."""

    def at(self, due: Timed, at_ms: int) -> None:  # noqa: ARG002 - the port's
        """Refuse."""
        raise ConfigurationError("there are no timers here")


class NoPrograms:
    """`Programs`."""

    def program(self, kind: str) -> Program | None:  # noqa: ARG002 - the port's
        """None: there is no code here."""
        return None

    def kinds(self) -> Collection[str]:
        """None at all."""
        return ()


class NoChanges:
    """`Changes`."""

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        """At once: nobody waits here."""

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:  # noqa: ARG002 - the port's
        """At once, knowing nothing."""
        return frozenset()
