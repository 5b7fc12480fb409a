"""`Handle` and `SyncHandle`: one execution, as its starter sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from flowstrand.client.deadline import Deadline
from flowstrand.client.encoding import output_of
from flowstrand.client.execution import Execution
from flowstrand.client.history import TERMINAL_TYPES, HistoryEvent
from flowstrand.client.standing import ChildStanding, Stage, TaskStanding
from flowstrand.client.stream import StreamEvent, StreamFormat
from flowstrand.client.tree import TreeEvent
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from flowstrand.client.asynchronous import Client
    from flowstrand.client.synchronous import SyncClient

OutputT_co = TypeVar("OutputT_co", covariant=True)


class Handle(Generic[OutputT_co]):
    """An execution and the client that reaches it.

    Attributes:
        started: what the API said when this handle's start, or signal with start, was asked for; else empty.
    """

    def __init__(
        self, client: Client, id: str, workflow: object = None, started: JsonObject | None = None
    ) -> None:
        """`workflow`, where it is a definition, says what type the output has."""
        self.id = id
        self.started = started or {}
        self._client = client
        self._workflow = workflow

    def __repr__(self) -> str:
        return f"Handle({self.id!r})"

    async def get(self) -> Execution:
        """The execution as it is now."""
        return await self._client.get(self.id)

    async def result(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - the last long-poll is asked for no more than is left
    ) -> OutputT_co:
        """Wait for the end and return the output, of the type that the workflow definition declares.

        Where the execution continues as another, that one's end is waited for.

        Raises:
            WorkflowTimeout: the execution was open at its timeout.
            WorkflowFailed: it failed otherwise.
            WorkflowCancelled: it was cancelled.
            CodecFailed: the output was encoded with something that this client was not given.
            TimeoutError: it is still open after `timeout` seconds; it goes on nevertheless.
        """
        deadline = Deadline(timeout)
        snapshot = await self.get()
        after = snapshot.current_sequence
        while not snapshot.is_closed or snapshot.continued_as:
            if snapshot.continued_as:
                snapshot = await self._client.get(snapshot.continued_as)
                after = snapshot.current_sequence
                continue
            page = await self._client.history(
                snapshot.id, after=after, wait_s=deadline.next_wait_s(self.id), types=TERMINAL_TYPES
            )
            after = page.next_after
            if page.closed:
                snapshot = await self._client.get(snapshot.id)
        output: OutputT_co = output_of(self._workflow, await self._client.download(snapshot.result()))
        return output

    async def signal(self, name: str, value: object = None, *, request_id: str | None = None) -> int:
        """Send it a signal; returns the sequence of its event. See `Client.signal`."""
        return await self._client.signal(self.id, name, value, request_id=request_id)

    async def cancel(self, *, reason: str | None = None, cascade: bool = True, force: bool = False) -> None:
        """Ask it to end; with `force`, end it now. See `Client.cancel`."""
        await self._client.cancel(self.id, reason=reason, cascade=cascade, force=force)

    async def retry(self, *, reason: str | None = None, request_id: str | None = None) -> Handle[OutputT_co]:
        """Have another execution go on from its history, once it has failed. See `Client.retry`."""
        return await self._client.retry(self.id, self._workflow, reason=reason, request_id=request_id)

    async def state(self, key: str | None = None) -> JsonObject:
        """What its code has set and not cleared, by key. See `Client.state`."""
        return await self._client.state(self.id, key)

    def tasks(self, *, only: Stage | None = None) -> AsyncIterator[TaskStanding]:
        """Its tasks, open ones first. See `Client.tasks`."""
        return self._client.tasks(self.id, only=only)

    def children(self, *, only: Stage | None = None) -> AsyncIterator[ChildStanding]:
        """Its child workflows, open ones first. See `Client.children`."""
        return self._client.children(self.id, only=only)

    def events(self, after: int = 0) -> AsyncIterator[HistoryEvent]:
        """Every event beyond `after` that is in the log now."""
        return self._client.events(self.id, after=after)

    def stream(
        self, after: int = 0, format: StreamFormat = "state", timeout: float | None = None
    ) -> AsyncIterator[StreamEvent]:
        """Follow the log live to its end. See `Client.stream`."""
        return self._client.stream(self.id, after=after, format=format, timeout=timeout)

    def stream_tree(self, after: str = "", format: StreamFormat = "state") -> AsyncIterator[TreeEvent]:
        """Follow it and all its descendants live, until all have ended. See `Client.stream_tree`."""
        return self._client.stream_tree(self.id, after=after, format=format)


class SyncHandle(Generic[OutputT_co]):
    """An execution and the synchronous client that reaches it; see `Handle`."""

    def __init__(
        self, client: SyncClient, id: str, workflow: object = None, started: JsonObject | None = None
    ) -> None:
        """`workflow`, where it is a definition, says what type the output has."""
        self.id = id
        self.started = started or {}
        self._client = client
        self._workflow = workflow

    def __repr__(self) -> str:
        return f"SyncHandle({self.id!r})"

    def get(self) -> Execution:
        """The execution as it is now."""
        return self._client.get(self.id)

    def result(self, timeout: float | None = None) -> OutputT_co:
        """Wait for the end and return the output; see `Handle.result`."""
        deadline = Deadline(timeout)
        snapshot = self.get()
        after = snapshot.current_sequence
        while not snapshot.is_closed or snapshot.continued_as:
            if snapshot.continued_as:
                snapshot = self._client.get(snapshot.continued_as)
                after = snapshot.current_sequence
                continue
            page = self._client.history(
                snapshot.id, after=after, wait_s=deadline.next_wait_s(self.id), types=TERMINAL_TYPES
            )
            after = page.next_after
            if page.closed:
                snapshot = self._client.get(snapshot.id)
        output: OutputT_co = output_of(self._workflow, self._client.download(snapshot.result()))
        return output

    def signal(self, name: str, value: object = None, *, request_id: str | None = None) -> int:
        """Send it a signal; returns the sequence of its event. See `Client.signal`."""
        return self._client.signal(self.id, name, value, request_id=request_id)

    def cancel(self, *, reason: str | None = None, cascade: bool = True, force: bool = False) -> None:
        """Ask it to end; with `force`, end it now. See `Client.cancel`."""
        self._client.cancel(self.id, reason=reason, cascade=cascade, force=force)

    def retry(self, *, reason: str | None = None, request_id: str | None = None) -> SyncHandle[OutputT_co]:
        """Have another execution go on from its history, once it has failed. See `Client.retry`."""
        return self._client.retry(self.id, self._workflow, reason=reason, request_id=request_id)

    def state(self, key: str | None = None) -> JsonObject:
        """What its code has set and not cleared, by key. See `Client.state`."""
        return self._client.state(self.id, key)

    def tasks(self, *, only: Stage | None = None) -> Iterator[TaskStanding]:
        """Its tasks, open ones first. See `Client.tasks`."""
        return self._client.tasks(self.id, only=only)

    def children(self, *, only: Stage | None = None) -> Iterator[ChildStanding]:
        """Its child workflows, open ones first. See `Client.children`."""
        return self._client.children(self.id, only=only)

    def events(self, after: int = 0) -> Iterator[HistoryEvent]:
        """Every event beyond `after` that is in the log now."""
        return self._client.events(self.id, after=after)

    def stream(
        self, after: int = 0, format: StreamFormat = "state", timeout: float | None = None
    ) -> Iterator[StreamEvent]:
        """Follow the log live to its end. See `Client.stream`."""
        return self._client.stream(self.id, after=after, format=format, timeout=timeout)

    def stream_tree(self, after: str = "", format: StreamFormat = "state") -> Iterator[TreeEvent]:
        """Follow it and all its descendants live, until all have ended. See `Client.stream_tree`."""
        return self._client.stream_tree(self.id, after=after, format=format)
