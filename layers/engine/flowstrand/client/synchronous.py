"""`SyncClient`: the API, synchronously. The twin of `Client`, method for method."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from types import TracebackType
from typing import Any, Self

import httpx2

from flowstrand.client import call, commands, tree_following
from flowstrand.client.bearer import TokenSource
from flowstrand.client.call import Call
from flowstrand.client.channels import SyncChannels
from flowstrand.client.connection import Connection
from flowstrand.client.deadline import Deadline
from flowstrand.client.feeding import SyncFeeding
from flowstrand.client.handle import SyncHandle
from flowstrand.client.history import HistoryEvent, HistoryPage
from flowstrand.client.listing import SyncListing
from flowstrand.client.looking import SyncLooking
from flowstrand.client.queues import SyncQueues, SyncWorkers
from flowstrand.client.schedules import SyncSchedules
from flowstrand.client.sender import SyncSender
from flowstrand.client.settled import Settled
from flowstrand.client.stream import StreamCursor, StreamEvent, StreamFormat
from flowstrand.client.sync_following import SyncFollowing
from flowstrand.client.sync_starting import SyncStarting
from flowstrand.client.task_handle import SyncTaskHandle
from flowstrand.client.tasking import SyncTasking
from flowstrand.client.transfers import SyncTransfers
from flowstrand.client.tree import TreeCursor, TreeEvent
from flowstrand.client.uploading import SyncUploading
from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.payload_codecs import Codec, PayloadCodecs


class SyncClient(SyncStarting, SyncLooking, SyncListing, SyncTasking, SyncUploading, SyncFeeding):
    """Starts executions and follows them. Use as a context manager, or call `close`.

    Requests are repeated on network errors and 503, for up to `patience_s` seconds, but for a start without an idempotency
    key: repeating it could start a second execution.

    Attributes:
        connection: where it sends requests, and as whom.
        schedules: what starts executions at their time.
        payloads: how it encodes inputs and decodes results; what `history` and `stream` bring is as the log has it.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | TokenSource | None = None,
        org: str | None = None,
        *,
        patience_s: float = 30.0,
        codec: Codec = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Defaults: `FLOWSTRAND_URL`, `FLOWSTRAND_API_KEY`, `FLOWSTRAND_ORG`.

        Args:
            api_key: or another bearer token, or a function that gives one that is good now. Without one, `FLOWSTRAND_AUTH=iam` has
                the process known by its AWS identity.
            codec: what values are encoded with; the same as the `App`'s.

        Raises:
            ConfigurationError: there is no API key, or the codecs do not go together.
        """
        self.connection = Connection.resolve(url, api_key, org)
        self.payloads = PayloadCodecs.of(codec)
        self.schedules = SyncSchedules(self.connection, self.payloads, self._answer)
        self.queues = SyncQueues(self.connection, self._answer)
        self.workers = SyncWorkers(self.connection, self._answer)
        self._sender = SyncSender(self.connection, patience_s, transport)
        self.channels = SyncChannels(self.connection, self._sender.send)
        self._transfers = SyncTransfers(self.connection, transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._sender.close()
        self._transfers.close()

    def signal(self, execution_id: str, name: str, value: object = None, *, request_id: str | None = None) -> int:
        """Send a signal; returns the sequence of its event.

        Args:
            request_id: makes a repetition a no-op; by default every call is a signal of its own, repeated by itself where
                that can help.

        Raises:
            NotFound: there is no such execution.
            Conflict: it has ended.
        """
        encoded = commands.value_of(self.payloads, value, f"the value of signal {name!r}")
        request = commands.signal(self.connection, execution_id, name, encoded, request_id=request_id)
        return commands.sequence_of(self._answer(request), "signalEventSequence")

    def cancel(
        self,
        execution_id: str,
        *,
        reason: str | None = None,
        cascade: bool = True,
        force: bool = False,
        request_id: str | None = None,
    ) -> None:
        """Ask an execution to end. Its code is told at its next wait, and may clean up; the result tells how it ended.

        Args:
            cascade: ask its children as well.
            force: end it now, without running its code.

        Raises:
            NotFound: there is no such execution.
            Conflict: it has ended.
        """
        request = commands.cancel(
            self.connection, execution_id, reason=reason, cascade=cascade, force=force, request_id=request_id
        )
        self._answer(request)

    def retry(
        self,
        execution_id: str,
        workflow: object = None,
        *,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> SyncHandle[Any]:
        """Have another execution go on from the history of a failed one; returns that one's handle.

        Completed work is kept. The last turn is run again, and the work whose failure it was given is done again.

        Args:
            workflow: the definition of what was retried, where the handle is to know the type of the output.
            reason: for people; it is part of the log.
            request_id: under the same one, the same execution is begun, however often this is asked for.

        Raises:
            NotFound: there is no such execution.
            Conflict: it has not failed.
        """
        request = commands.retry(self.connection, execution_id, reason=reason, request_id=request_id)
        body = self._answer(request)
        return self._handle(str(body["workflowExecutionId"]), workflow, body)

    def resolve_promise(
        self, promise_id: str | None = None, value: object = None, *, key: str | None = None
    ) -> Settled:
        """Give a promise its value, by its id or by its key. The first to settle it does; the others change nothing.

        Raises:
            NotFound: there is no such promise.
            Conflict: it was open when its execution ended.
        """
        encoded = commands.value_of(self.payloads, value, "the value of a promise")
        request = commands.resolve_promise(self.connection, promise_id, key, encoded)
        return Settled.of(self._answer(request))

    def reject_promise(
        self,
        promise_id: str | None = None,
        message: str = "",
        *,
        type: str = "Rejected",
        key: str | None = None,
    ) -> Settled:
        """Fail a promise; otherwise as `resolve_promise`. `type` names the reason to programs."""
        request = commands.reject_promise(self.connection, promise_id, key, type=type, message=message)
        return Settled.of(self._answer(request))

    def history(
        self,
        execution_id: str,
        *,
        after: int = 0,
        limit: int | None = None,
        wait_s: int = 0,
        types: Iterable[str] = (),
    ) -> HistoryPage:
        """One page of the log; see `Client.history`."""
        wanted = tuple(types)
        request = call.history(
            self.connection, execution_id, after=after, limit=limit, wait_s=wait_s, types=wanted
        )
        page = HistoryPage.of(self._answer(request))
        if not wanted:
            page.require_contiguous(after)
        return page

    def events(self, execution_id: str, *, after: int = 0, types: Iterable[str] = ()) -> Generator[HistoryEvent]:
        """Every event beyond `after` that is in the log now, page by page; of these types only, where some are given."""
        wanted = tuple(types)
        up_to_date = False
        while not up_to_date:
            page = self.history(execution_id, after=after, types=wanted)
            yield from page.events
            after, up_to_date = page.next_after, page.up_to_date

    def stream(
        self,
        execution_id: str,
        *,
        after: int = 0,
        format: StreamFormat = "state",
        timeout: float | None = None,
    ) -> Generator[StreamEvent]:
        """Follow the log live to its end; see `Client.stream`."""
        cursor, deadline = StreamCursor(after, format), Deadline(timeout)
        return SyncFollowing(self._sender, self.connection, execution_id, cursor, deadline).events()

    def stream_tree(
        self, execution_id: str, *, after: str = "", format: StreamFormat = "state"
    ) -> Generator[TreeEvent]:
        """Follow an execution and all its descendants live, until all have ended; see `Client.stream_tree`."""
        cursor = TreeCursor(after, format)
        return tree_following.follow_sync(self._sender, self.connection, execution_id, cursor)

    def _answer(self, request: Call) -> JsonObject:
        return self._sender.answer(request)

    def _open(self, request: Call) -> httpx2.Response:
        return self._sender.send(request, is_stream=True)

    def _handle(self, execution_id: str, workflow: object, started: JsonObject | None = None) -> SyncHandle[Any]:
        return SyncHandle(self, execution_id, workflow, started)

    def _task_handle(self, task_id: str, task: object, started: JsonObject | None = None) -> SyncTaskHandle[Any]:
        return SyncTaskHandle(self, task_id, task, started)
