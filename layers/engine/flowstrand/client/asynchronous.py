"""`Client`: the API, asynchronously."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import httpx2

from flowstrand.client import call, commands, tree_following
from flowstrand.client.bearer import TokenSource
from flowstrand.client.call import Call
from flowstrand.client.channels import Channels
from flowstrand.client.connection import Connection
from flowstrand.client.deadline import Deadline
from flowstrand.client.feeding import Feeding
from flowstrand.client.following import Following
from flowstrand.client.handle import Handle
from flowstrand.client.history import HistoryEvent, HistoryPage
from flowstrand.client.listing import Listing
from flowstrand.client.looking import Looking
from flowstrand.client.queues import Queues, Workers
from flowstrand.client.schedules import Schedules
from flowstrand.client.sender import Sender
from flowstrand.client.settled import Settled
from flowstrand.client.starting import Starting
from flowstrand.client.stream import StreamCursor, StreamEvent, StreamFormat
from flowstrand.client.task_handle import TaskHandle
from flowstrand.client.tasking import Tasking
from flowstrand.client.transfers import Transfers
from flowstrand.client.tree import TreeCursor, TreeEvent
from flowstrand.client.uploading import Uploading
from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.payload_codecs import Codec, PayloadCodecs


class Client(Starting, Looking, Listing, Tasking, Uploading, Feeding):
    """Starts executions and follows them. Use as an async context manager, or call `aclose`.

    Requests are repeated on network errors and 503, for up to `patience_s` seconds, but for a start without an idempotency
    key: repeating it could start a second execution.

    Attributes:
        connection: where it sends requests, and as whom.
        schedules: what starts executions at their time.
        queues: where tasks wait; how to pause and limit them.
        channels: streams that anybody may append to and read.
        workers: who takes them from there.
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
        transport: httpx2.AsyncBaseTransport | None = None,
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
        self.schedules = Schedules(self.connection, self.payloads, self._answer)
        self.queues = Queues(self.connection, self._answer)
        self.workers = Workers(self.connection, self._answer)
        self._sender = Sender(self.connection, patience_s, transport)
        self.channels = Channels(self.connection, self._sender.send)
        self._transfers = Transfers(self.connection, transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._sender.aclose()
        await self._transfers.aclose()

    async def signal(
        self, execution_id: str, name: str, value: object = None, *, request_id: str | None = None
    ) -> int:
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
        return commands.sequence_of(await self._answer(request), "signalEventSequence")

    async def cancel(
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
        await self._answer(request)

    async def retry(
        self,
        execution_id: str,
        workflow: object = None,
        *,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> Handle[Any]:
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
        body = await self._answer(request)
        return self._handle(str(body["workflowExecutionId"]), workflow, body)

    async def resolve_promise(
        self, promise_id: str | None = None, value: object = None, *, key: str | None = None
    ) -> Settled:
        """Give a promise its value, by its id or by its key. The first to settle it does; the others change nothing.

        Raises:
            NotFound: there is no such promise.
            Conflict: it was open when its execution ended.
        """
        encoded = commands.value_of(self.payloads, value, "the value of a promise")
        request = commands.resolve_promise(self.connection, promise_id, key, encoded)
        return Settled.of(await self._answer(request))

    async def reject_promise(
        self,
        promise_id: str | None = None,
        message: str = "",
        *,
        type: str = "Rejected",
        key: str | None = None,
    ) -> Settled:
        """Fail a promise; otherwise as `resolve_promise`. `type` names the reason to programs."""
        request = commands.reject_promise(self.connection, promise_id, key, type=type, message=message)
        return Settled.of(await self._answer(request))

    async def history(
        self,
        execution_id: str,
        *,
        after: int = 0,
        limit: int | None = None,
        wait_s: int = 0,
        types: Iterable[str] = (),
    ) -> HistoryPage:
        """One page of the log; with `wait_s` (at most 20), as soon as there is something beyond `after`.

        Raises:
            LogCorrupted: an unfiltered page does not continue at `after + 1` without a gap.
        """
        wanted = tuple(types)
        request = call.history(
            self.connection, execution_id, after=after, limit=limit, wait_s=wait_s, types=wanted
        )
        page = HistoryPage.of(await self._answer(request))
        if not wanted:
            page.require_contiguous(after)
        return page

    async def events(
        self, execution_id: str, *, after: int = 0, types: Iterable[str] = ()
    ) -> AsyncGenerator[HistoryEvent]:
        """Every event beyond `after` that is in the log now, page by page; of these types only, where some are given."""
        wanted = tuple(types)
        up_to_date = False
        while not up_to_date:
            page = await self.history(execution_id, after=after, types=wanted)
            for event in page.events:
                yield event
            after, up_to_date = page.next_after, page.up_to_date

    async def stream(
        self,
        execution_id: str,
        *,
        after: int = 0,
        format: StreamFormat = "state",
        timeout: float | None = None,  # noqa: ASYNC109 - it bounds the following, over many requests
    ) -> AsyncGenerator[StreamEvent]:
        """Follow the log live, from behind `after` to its end, over as many connections as it takes.

        Events come as Server-Sent Events; where those are refused, or something on the way holds them back, by long-poll.

        Raises:
            LogCorrupted: the server skipped or repeated an event.
            CallerError: refused, or not reachable for too long.
            TimeoutError: it is still open after `timeout` seconds; it goes on nevertheless.
        """
        cursor, deadline = StreamCursor(after, format), Deadline(timeout)
        following = Following(self._sender, self.connection, execution_id, cursor, deadline)
        async with aclosing(following.events()) as events:
            async for event in events:
                yield event

    async def stream_tree(
        self, execution_id: str, *, after: str = "", format: StreamFormat = "state"
    ) -> AsyncGenerator[TreeEvent]:
        """Follow an execution and all its descendants live, until all have ended, over as many connections as it takes.

        Each log comes in its own order, and no consequence before its cause: a child's end before its parent says so.

        Args:
            after: the `cursor` of the last event that is known; empty for the beginning.

        Raises:
            LogCorrupted: the server skipped or repeated an event.
            UnprocessableInput: more descendants are open than one stream follows at a time (`TOO_MANY_DESCENDANTS`).
            CallerError: refused otherwise, or not reachable for too long.
        """
        cursor = TreeCursor(after, format)
        async with aclosing(tree_following.follow(self._sender, self.connection, execution_id, cursor)) as events:
            async for event in events:
                yield event

    async def _answer(self, request: Call) -> JsonObject:
        return await self._sender.answer(request)

    async def _open(self, request: Call) -> httpx2.Response:
        return await self._sender.send(request, is_stream=True)

    def _handle(self, execution_id: str, workflow: object, started: JsonObject | None = None) -> Handle[Any]:
        return Handle(self, execution_id, workflow, started)

    def _task_handle(self, task_id: str, task: object, started: JsonObject | None = None) -> TaskHandle[Any]:
        return TaskHandle(self, task_id, task, started)
