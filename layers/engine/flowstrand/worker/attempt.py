"""`Attempt`: one claimed attempt of one task, from its claim to its report."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import Executor, Future
from typing import Any, Protocol, assert_never

import httpx2
import stamina

from flowstrand.client.answers import is_transient
from flowstrand.engine.chunk import Chunk
from flowstrand.errors import (
    CallerError,
    Conflict,
    Gone,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    QuotaExceeded,
    TaskCancelled,
    Unauthenticated,
    WrongPrincipal,
)
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.sdk.task import TaskDefinition
from flowstrand.sdk.task_context import TaskContext
from flowstrand.worker.api import ClaimedTask
from flowstrand.worker.chunk_stream import ChunkStream
from flowstrand.worker.outcome import Completed, Failed, Outcome

_log = logging.getLogger("flowstrand.worker")
_CLEANUP_S = 2.0
"""How long a task that is given up may take over its `finally` blocks."""


class AttemptServer(Protocol):
    """What an attempt asks of the server. A refusal is raised as the `CallerError` it stands for.

    `WorkerApi` asks it over HTTPS; the test kit answers in process.
    """

    async def complete(self, task: ClaimedTask, output: JsonValue) -> None:
        """Report success."""
        ...

    async def fail(
        self, task: ClaimedTask, *, type: str, message: str, stack: str | None, retryable: bool
    ) -> None:
        """Report failure."""
        ...

    async def stream(self, task: ClaimedTask, chunks: Sequence[Chunk], *, request_id: str) -> None:
        """Record what the task emitted. Repeating a request is a no-op."""
        ...

    async def heartbeat(self, task: ClaimedTask, details: JsonValue = None) -> bool:
        """Renew the lease; returns whether the task's cancellation was requested. `details` are for the next attempt."""
        ...


class Attempt:
    """Runs the task, renews its lease while it runs, and reports until the server has the result.

    An attempt that the server says is no longer ours is cancelled and not reported.
    """

    def __init__(
        self,
        api: AttemptServer,
        claimed: ClaimedTask,
        definition: TaskDefinition[Any, Any] | None,
        executor: Executor,
        payloads: PayloadCodecs,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`definition` is None where this worker has no such task; `sleep` takes the seconds between heartbeats."""
        self._api = api
        self._claimed = claimed
        self._definition = definition
        self._executor = executor
        self._payloads = payloads
        self._sleep = sleep
        self._work: asyncio.Task[Outcome] | None = None
        self._is_lost = False
        self._cancel_requested = False
        self._stream = ChunkStream(self._send_chunks)
        self._details: JsonValue = claimed.heartbeat_details

    async def run(self, slots: asyncio.Semaphore) -> None:
        """The whole attempt. `slots` bounds how many tasks run at once; the lease is renewed while waiting for one."""
        heartbeats = asyncio.create_task(self._keep_lease())
        try:
            async with slots:
                outcome = await self._execute()
            outcome = await self._flushed(outcome)
            if not self._is_lost:
                await self._report(outcome)
        finally:
            heartbeats.cancel()
            self._stream.stop()

    # --- running ------------------------------------------------------------------------------

    async def _execute(self) -> Outcome:
        self._work = work = asyncio.create_task(self._call())
        if self._is_lost:
            work.cancel()
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:  # the worker gives up, not the task
            work.cancel()
            await asyncio.wait({work}, timeout=_CLEANUP_S)
            raise
        if work.cancelled():
            return Failed(type="CancelledError", message="the task cancelled itself")
        return work.result()

    async def _call(self) -> Outcome:
        if self._definition is None:
            return Failed(type="UnknownTaskKind", message=f"this worker has no task {self._claimed.kind!r}")
        try:
            input = self._payloads.from_wire(self._claimed.input)
            output = await self._definition.execute(self._context(), input, executor=self._executor)
            return Completed(output=self._payloads.to_wire(output))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a task raises is its report
            _log.info("task %r, attempt %d, failed: %r", self._claimed.kind, self._claimed.attempt, error)
            return Failed.of(error, non_retryable=self._claimed.non_retryable)

    def _context(self) -> TaskContext:
        return TaskContext(
            task_execution_id=self._claimed.task_execution_id,
            workflow_execution_id=self._claimed.workflow_execution_id,
            kind=self._claimed.kind,
            attempt=self._claimed.attempt,
            max_attempts=self._claimed.max_retries + 1,
            heartbeat=self._heartbeat_from_any_thread(asyncio.get_running_loop()),
            is_cancelled=lambda: self._is_lost or self._cancel_requested,
            emit=self._stream.emit,
            heartbeat_details=self._payloads.from_wire(self._claimed.heartbeat_details),
        )

    # --- the lease ----------------------------------------------------------------------------

    async def _keep_lease(self) -> None:
        while not self._is_lost:
            await self._sleep(self._claimed.heartbeat_ms / 1_000)
            await self._beat()

    async def _beat(self) -> bool:
        """One heartbeat; returns whether the result is no longer wanted."""
        try:
            async for attempt in stamina.retry_context(on=is_transient, attempts=3):
                with attempt:
                    self._cancel_requested |= await self._api.heartbeat(self._claimed, self._details)
        except (Conflict, NotFound, Gone) as refused:
            self._lose(refused)
        except (CallerError, httpx2.TransportError) as error:
            _log.warning("a heartbeat of %s was not answered: %s", self._claimed.task_execution_id, error)
        return self._is_lost or self._cancel_requested

    def _lose(self, refused: CallerError) -> None:
        self._is_lost = True
        _log.warning(
            "attempt %d of %s is no longer ours: %s",
            self._claimed.attempt,
            self._claimed.task_execution_id,
            refused.code,
        )
        lost = TaskCancelled(
            f"attempt {self._claimed.attempt} is no longer this worker's",
            kind=self._claimed.kind,
            error_type="TaskCancelled",
            id=self._claimed.task_execution_id,
        )
        self._stream.refuse(lost)
        if self._work is not None:
            self._work.cancel()

    def _heartbeat_from_any_thread(
        self, loop: asyncio.AbstractEventLoop
    ) -> Callable[[JsonValue], Awaitable[bool]]:
        def heartbeat(details: JsonValue) -> Awaitable[bool]:
            if details is not None:  # every later heartbeat says so too
                self._details = self._payloads.to_wire(details)
            return _Beat(asyncio.run_coroutine_threadsafe(self._beat(), loop))

        return heartbeat

    # --- what it emits ------------------------------------------------------------------------

    async def _send_chunks(self, chunks: Sequence[Chunk], request_id: str) -> None:
        """Repeat until answered: repeating a request is a no-op."""
        try:
            async for attempt in stamina.retry_context(
                on=_is_worth_repeating, attempts=None, timeout=None, wait_max=15
            ):
                with attempt:
                    await self._api.stream(self._claimed, chunks, request_id=request_id)
        except (Conflict, NotFound, Gone) as refused:
            self._lose(refused)
            raise

    async def _flushed(self, outcome: Outcome) -> Outcome:
        """`outcome`, once all that the task emitted is recorded; a failure where the server will not take it."""
        try:
            await self._stream.close()
        except CallerError as refused:
            if isinstance(outcome, Completed):
                message = f"what the task streamed was refused: {refused.message}"
                return Failed(type=refused.code, message=message, retryable=False)
        except TaskCancelled:
            pass  # the attempt is lost, and not reported
        return outcome

    # --- the report ---------------------------------------------------------------------------

    async def _report(self, outcome: Outcome) -> None:
        try:
            await self._send(outcome)
        except (PayloadTooLarge, InvalidInput) as refused:
            await self._report_refused(refused)
        except (Conflict, NotFound, Gone) as refused:
            self._lose(refused)

    async def _report_refused(self, refused: CallerError) -> None:
        """The server will never take this output: fail the task rather than let its lease run out again and again."""
        message = f"the task's result was refused: {refused.message}"
        try:
            await self._send(Failed(type=refused.code, message=message, retryable=False))
        except CallerError as again:
            self._lose(again)

    async def _send(self, outcome: Outcome) -> None:
        """Repeat until answered: repeating a report is a no-op."""
        async for attempt in stamina.retry_context(
            on=_is_worth_repeating, attempts=None, timeout=None, wait_max=15
        ):
            with attempt:
                match outcome:
                    case Completed():
                        await self._api.complete(self._claimed, outcome.output)
                    case Failed():
                        await self._api.fail(
                            self._claimed,
                            type=outcome.type,
                            message=outcome.message,
                            stack=outcome.stack,
                            retryable=outcome.retryable,
                        )
                    case _:
                        assert_never(outcome)


class _Beat(Awaitable[bool]):
    """A heartbeat under way on the worker's loop; awaiting it is optional."""

    def __init__(self, future: Future[bool]) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, None, bool]:
        return asyncio.wrap_future(self._future).__await__()


def _is_worth_repeating(error: Exception) -> bool | float:
    """Also a refused credential: the authorizer denies while it cannot reach its store, and a key may be put back."""
    if isinstance(error, QuotaExceeded) and error.retry_after_s:
        return float(error.retry_after_s)
    return isinstance(error, QuotaExceeded | Unauthenticated | WrongPrincipal) or is_transient(error)
