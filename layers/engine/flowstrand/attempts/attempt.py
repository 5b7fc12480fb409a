"""`Attempt`: one claimed attempt of one task, from its claim to its report."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any, Protocol, assert_never

from flowstrand.attempts.attempt_log import AttemptLog
from flowstrand.attempts.chunk_stream import ChunkStream
from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.outcome import Completed, Failed, Outcome
from flowstrand.attempts.server import AttemptServer
from flowstrand.engine.chunk import Chunk
from flowstrand.engine.payload_reference import is_reference
from flowstrand.engine.task_log import LogRecord
from flowstrand.errors import (
    CallerError,
    Conflict,
    Gone,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    StoreUnavailable,
    StreamLimitReached,
    TaskCancelled,
    Unavailable,
)
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.sdk.task import TaskDefinition
from flowstrand.sdk.task_context import TaskContext
from flowstrand.tracing import otel

_log = logging.getLogger("flowstrand.worker")
MAX_REPORTED_BYTES = 900_000
"""Outputs with more bytes of JSON are uploaded rather than reported: a report may have a mebibyte in all."""
_CLEANUP_S = 2.0
"""How long a task that is given up may take over its `finally` blocks."""


class AttemptListener(Protocol):
    """Whoever wants to know how an attempt gets on. Called on the event loop; must not raise."""

    def started(self, task: ClaimedTask) -> None:
        """Its code begins."""
        ...

    def heartbeat_lost(self, task: ClaimedTask, error: Exception) -> None:
        """A heartbeat was not answered."""
        ...


class Attempt:
    """Runs the task, renews its lease while it runs, and reports until the server has the result.

    An attempt that the server says is no longer ours is cancelled and not reported.
    """

    def __init__(
        self,
        server: AttemptServer,
        claimed: ClaimedTask,
        definition: TaskDefinition[Any, Any] | None,
        executor: Executor,
        payloads: PayloadCodecs,
        *,
        listener: AttemptListener | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        log_level: int | None = logging.INFO,
    ) -> None:
        """Made on the event loop that it runs on.

        Args:
            definition: None where this worker has no such task.
            sleep: takes the seconds between heartbeats.
            log_level: from which on what the task logs is kept with it; None where nothing is.
        """
        self._server = server
        self._claimed = claimed
        self._definition = definition
        self._executor = executor
        self._payloads = payloads
        self._listener = listener
        self._sleep = sleep
        self._work: asyncio.Task[Outcome] | None = None
        self._is_lost = False
        self._cancel_requested = False
        self._verdict: Failed | None = None
        self._given_up = asyncio.Event()
        self._stream = ChunkStream(self._send_chunks)
        self._log = AttemptLog(self._send_logs, f"attempt {claimed.attempt} of {claimed.task_execution_id}")
        self._log_level = log_level
        self._details: JsonValue = claimed.heartbeat_details
        self._progress: float | None = None

    async def run(self, slots: asyncio.Semaphore) -> Outcome | None:
        """The whole attempt. `slots` bounds how many tasks run at once; the lease is renewed while waiting for one.

        Returns:
            What was reported; None where the attempt was not ours any more.
        """
        heartbeats = asyncio.create_task(self._keep_lease())
        try:
            async with slots:
                outcome = await self._execute()
            outcome, _ = await asyncio.gather(self._flushed(outcome), self._log.close())
            return await self._report(outcome)
        finally:
            heartbeats.cancel()
            self._stream.stop()
            self._log.stop()

    def give_up(self, verdict: Failed) -> None:
        """Stop the task's code, and report `verdict` unless it ends by itself meanwhile.

        Code in a thread cannot be stopped: it is told by `is_cancelled`, and by what it emits being refused.
        """
        self._verdict = verdict
        self._cancel_requested = True
        self._given_up.set()
        if self._work is not None:
            self._work.cancel()

    # --- running ------------------------------------------------------------------------------

    async def _execute(self) -> Outcome:
        self._work = work = asyncio.create_task(self._call())
        if self._is_lost or self._verdict is not None:
            work.cancel()
        elif self._listener is not None:
            self._listener.started(self._claimed)
        try:
            await self._until_done(work)
        except asyncio.CancelledError:  # the worker gives up, not the task
            work.cancel()
            await asyncio.wait({work}, timeout=_CLEANUP_S)
            raise
        if self._verdict is not None and (not work.done() or work.cancelled()):
            return self._verdict
        if work.cancelled():
            return Failed(type="CancelledError", message="the task cancelled itself")
        return work.result()

    async def _until_done(self, work: asyncio.Task[Outcome]) -> None:
        """Wait for the task's code; once it is given up, not for longer than its clean-up may take."""
        given_up = asyncio.create_task(self._given_up.wait())
        try:
            await asyncio.wait({work, given_up}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await asyncio.wait({work}, timeout=_CLEANUP_S)
        finally:
            given_up.cancel()

    async def _call(self) -> Outcome:
        claimed = self._claimed
        ids: dict[str, str | int] = {
            "flowstrand.task.id": claimed.task_execution_id,
            "flowstrand.task.kind": claimed.kind,
            "flowstrand.task.attempt": claimed.attempt,
        }
        if claimed.workflow_execution_id is not None:
            ids["flowstrand.execution.id"] = claimed.workflow_execution_id
        trace = otel.attempting(
            f"task {claimed.kind}", ids, traceparent=claimed.traceparent, tracestate=claimed.tracestate
        )
        with trace as attempted:
            outcome = await self._run_code()
            if isinstance(outcome, Failed):
                attempted.failed(outcome.type)
            return outcome

    async def _run_code(self) -> Outcome:
        if self._definition is None:
            return Failed(type="UnknownTaskKind", message=f"this worker has no task {self._claimed.kind!r}")
        try:
            input = self._payloads.from_wire(await self._input())
            output = await self._definition.execute(self._context(), input, executor=self._executor)
            wire = self._payloads.to_wire(output)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a task raises is its report
            _log.info("task %r, attempt %d, failed: %r", self._claimed.kind, self._claimed.attempt, error)
            return Failed.of(error, non_retryable=self._claimed.non_retryable)
        return await self._completed(wire)

    async def _input(self) -> JsonValue:
        given: JsonValue = self._claimed.input
        return await self._server.input_of(self._claimed) if is_reference(given) else given

    async def _completed(self, output: JsonValue) -> Outcome:
        """What is too large to be reported is uploaded, and something reported that stands for it."""
        body = json.dumps(output, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        if len(body) <= MAX_REPORTED_BYTES:
            return Completed(output=output)
        try:
            return Completed(output=await self._server.keep(self._claimed, body))
        except CallerError as refused:
            message = f"the task's result was refused: {refused.message}"
            return Failed(type=refused.code, message=message, retryable=isinstance(refused, Unavailable))

    def _context(self) -> TaskContext:
        return TaskContext(
            task_execution_id=self._claimed.task_execution_id,
            workflow_execution_id=self._claimed.workflow_execution_id,
            kind=self._claimed.kind,
            attempt=self._claimed.attempt,
            max_attempts=self._claimed.max_retries + 1,
            heartbeat=self._heartbeat_from_any_thread(asyncio.get_running_loop()),
            note_progress=self._note_progress,
            is_cancelled=lambda: self._is_lost or self._cancel_requested,
            emit=self._stream.emit,
            heartbeat_details=self._payloads.from_wire(self._claimed.heartbeat_details),
            traceparent=self._claimed.traceparent,
            tracestate=self._claimed.tracestate,
            keep_log=None if self._log_level is None else self._log.take,
            log_level=self._log_level or logging.NOTSET,
        )

    # --- the lease ----------------------------------------------------------------------------

    async def _keep_lease(self) -> None:
        while not self._is_lost:
            await self._sleep(self._claimed.heartbeat_ms / 1_000)
            await self._beat()
            if self._cancel_requested and self._verdict is None and not self._is_lost:
                self.give_up(Failed(type="TaskCancelled", message="the task was cancelled", retryable=False))

    async def _beat(self) -> bool:
        """One heartbeat; returns whether the result is no longer wanted."""
        try:
            self._cancel_requested |= await self._server.heartbeat(self._claimed, self._details, self._progress)
        except (Conflict, NotFound, Gone) as refused:
            self._lose(refused)
        except (CallerError, StoreUnavailable) as error:
            _log.warning("a heartbeat of %s was not answered: %s", self._claimed.task_execution_id, error)
            if self._listener is not None:
                self._listener.heartbeat_lost(self._claimed, error)
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

    def _note_progress(self, fraction: float) -> None:
        """Every later heartbeat says so."""
        self._progress = fraction

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
        try:
            await self._server.stream(self._claimed, chunks, request_id=request_id)
        except (Conflict, NotFound, Gone) as refused:
            self._lose(refused)
            raise
        except PayloadTooLarge as refused:
            if refused.code == StreamLimitReached.code:
                raise StreamLimitReached(refused.message) from refused
            raise

    async def _flushed(self, outcome: Outcome) -> Outcome:
        """`outcome`, once all that the task emitted is recorded; a failure where the server will not take it."""
        try:
            await self._stream.close()
        except CallerError as refused:
            if isinstance(outcome, Completed):
                message = f"what the task streamed was refused: {refused.message}"
                return Failed(type=refused.code, message=message, retryable=False)
        except StreamLimitReached as reached:
            failed = outcome if isinstance(outcome, Failed) else Failed.of(reached)
            return replace(failed, retryable=False)  # another attempt would stream as much
        except TaskCancelled:
            pass  # the attempt is lost, and not reported
        return outcome

    async def _send_logs(self, batch: int, records: Sequence[LogRecord]) -> int:
        return await self._server.log(self._claimed, batch, records)

    # --- the report ---------------------------------------------------------------------------

    async def _report(self, outcome: Outcome) -> Outcome | None:
        if self._is_lost:
            return None
        try:
            await self._send(outcome)
        except (PayloadTooLarge, InvalidInput) as refused:
            return await self._report_refused(refused)
        except (Conflict, NotFound, Gone) as refused:
            self._lose(refused)
            return None
        return outcome

    async def _report_refused(self, refused: CallerError) -> Outcome | None:
        """The server will never take this output: fail the task rather than let its lease run out again and again."""
        message = f"the task's result was refused: {refused.message}"
        failed = Failed(type=refused.code, message=message, retryable=False)
        try:
            await self._send(failed)
        except CallerError as again:
            self._lose(again)
            return None
        return failed

    async def _send(self, outcome: Outcome) -> None:
        match outcome:
            case Completed():
                await self._server.complete(self._claimed, outcome.output)
            case Failed():
                await self._server.fail(
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
