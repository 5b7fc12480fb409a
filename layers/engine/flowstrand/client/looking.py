"""Looking into executions and at definitions: the part of both clients that changes nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

from flowstrand.client import call
from flowstrand.client.base import Base, SyncBase
from flowstrand.client.connection import Connection
from flowstrand.client.definition import KnownDefinition
from flowstrand.client.execution import Execution
from flowstrand.client.pages import Pages, each, each_sync
from flowstrand.client.standing import ChildStanding, Stage, TaskStanding
from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.payload_codecs import PayloadCodecs


class Looking(Base):
    """What the API tells of executions and definitions."""

    async def get(self, execution_id: str) -> Execution:
        """The execution as it is now."""
        return Execution.of(await self._answer(call.get(self.connection, execution_id)))

    async def state(self, execution_id: str, key: str | None = None) -> JsonObject:
        """What its code has set (`ctx.set`) and not cleared, by key; of `key` alone, where one is given.

        Raises:
            CodecFailed: a value was encoded with something that this client was not given.
        """
        return _values(self.payloads, await self._answer(call.state(self.connection, execution_id, key)))

    def tasks(self, execution_id: str, *, only: Stage | None = None) -> AsyncGenerator[TaskStanding]:
        """Its tasks, open ones first; with `only`, the open or the ended ones.

        One that ends meanwhile is shown twice, as open and as ended.
        """
        return each(self._answer, _tasks(self.connection, execution_id, only))

    def children(self, execution_id: str, *, only: Stage | None = None) -> AsyncGenerator[ChildStanding]:
        """Its child workflows; otherwise as `tasks`."""
        return each(self._answer, _children(self.connection, execution_id, only))

    def workflow_definitions(self) -> AsyncGenerator[KnownDefinition]:
        """The workflows that can be started, by kind."""
        return each(self._answer, _definitions(self.connection, "workflow-definitions"))

    def task_definitions(self) -> AsyncGenerator[KnownDefinition]:
        """The tasks that workers have registered, by kind."""
        return each(self._answer, _definitions(self.connection, "task-definitions"))


class SyncLooking(SyncBase):
    """The same, synchronously."""

    def get(self, execution_id: str) -> Execution:
        """The execution as it is now."""
        return Execution.of(self._answer(call.get(self.connection, execution_id)))

    def state(self, execution_id: str, key: str | None = None) -> JsonObject:
        """See `Client.state`."""
        return _values(self.payloads, self._answer(call.state(self.connection, execution_id, key)))

    def tasks(self, execution_id: str, *, only: Stage | None = None) -> Generator[TaskStanding]:
        """See `Client.tasks`."""
        return each_sync(self._answer, _tasks(self.connection, execution_id, only))

    def children(self, execution_id: str, *, only: Stage | None = None) -> Generator[ChildStanding]:
        """See `Client.children`."""
        return each_sync(self._answer, _children(self.connection, execution_id, only))

    def workflow_definitions(self) -> Generator[KnownDefinition]:
        """See `Client.workflow_definitions`."""
        return each_sync(self._answer, _definitions(self.connection, "workflow-definitions"))

    def task_definitions(self) -> Generator[KnownDefinition]:
        """See `Client.task_definitions`."""
        return each_sync(self._answer, _definitions(self.connection, "task-definitions"))


def _values(payloads: PayloadCodecs, answer: JsonObject) -> JsonObject:
    values = answer["state"]
    assert isinstance(values, dict)
    return {key: payloads.from_wire(value) for key, value in values.items()}


def _tasks(to: Connection, execution_id: str, only: Stage | None) -> Pages[TaskStanding]:
    path = to.path("workflow-executions", execution_id, "tasks")
    return Pages(path=path, items="tasks", read=TaskStanding.of, by="cursor", params=_only(only))


def _children(to: Connection, execution_id: str, only: Stage | None) -> Pages[ChildStanding]:
    path = to.path("workflow-executions", execution_id, "children")
    return Pages(path=path, items="children", read=ChildStanding.of, by="cursor", params=_only(only))


def _definitions(to: Connection, route: str) -> Pages[KnownDefinition]:
    return Pages(path=to.path(route), items="definitions", read=KnownDefinition.of)


def _only(stage: Stage | None) -> dict[str, str]:
    return {} if stage is None else {"status": stage}
