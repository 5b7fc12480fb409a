"""`ctx.run` inside a turn: execute functions off the driver, record each result as it comes, deliver, go on."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue
from typing import TypeAlias, cast

from flowstrand.engine.decide import turn as decide
from flowstrand.engine.events import ErrorInfo
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.ledger import Operation
from flowstrand.engine.replay.outcome import error_info
from flowstrand.errors import PayloadTooLarge
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import AppendConflict
from flowstrand.service import append, payloads
from flowstrand.service.container import Services
from flowstrand.service.leases import TurnLease
from flowstrand.service.strand import Strand

_THREADS = 32

Result: TypeAlias = JsonValue | ErrorInfo
Flushed: TypeAlias = Callable[[append.Tip, int], None]


def run_operations(services: Services, strand: Strand, worker_id: str, flushed: Flushed) -> bool:
    """Execute the turn's `ctx.run` functions until none is unrecorded; false where the turn must be dropped.

    While functions run, what others append is read and delivered, and commands are appended as they are issued.

    Raises:
        LeaseHeld: another process executes this execution's functions.
    """
    if not strand.driver.pending_operations():
        return True
    run = _OperationRun(services, strand, worker_id, flushed)
    run.acquire(services.clock.now_ms())
    try:
        return run.to_the_end()
    finally:
        run.release()


class _OperationRun:
    """The part of one turn in which functions run."""

    def __init__(self, services: Services, strand: Strand, worker_id: str, flushed: Flushed) -> None:
        self._services = services
        self._strand = strand
        self._worker_id = worker_id
        self._flushed = flushed
        self._running: dict[int, Future[Result]] = {}
        self._names: dict[int, str] = {}
        holder = f"{worker_id}/{services.random_bytes(6).hex()}"
        self._lease = TurnLease(services.directory, strand.key, holder, services.settings.turn_lease_ms)
        self._renew_at_ms = 0

    def acquire(self, now_ms: int) -> None:
        """Take or renew the lease; to be renewed when a third of it has passed, whatever else goes on meanwhile."""
        self._lease.acquire(now_ms)
        self._renew_at_ms = now_ms + self._services.settings.turn_lease_ms // 3

    def release(self) -> None:
        """Give the lease back."""
        self._lease.release()

    def to_the_end(self) -> bool:
        """False where somebody else ended the execution or closed this turn.

        Reads only while there is nothing to append: an append that succeeds says that there was nothing to read.
        """
        driver = self._strand.driver
        while pending := driver.pending_operations():
            if not self._flush({}):
                return False
            self._start(pending)
            done = self._wait()
            if not done:
                self._strand.read()
            if not self._flush(done):
                return False
            self._strand.deliver()
        return not self._strand.is_superseded

    def _start(self, pending: list[Operation]) -> None:
        for operation in pending:
            if operation.index not in self._running and operation.index not in self._names:
                self._names[operation.index] = operation.name
                self._running[operation.index] = _executor().submit(_execute, operation)

    def _wait(self) -> dict[int, Result]:
        """Results of functions that have finished, after at most a third of the lease, which is then renewed."""
        wait(self._running.values(), timeout=self._services.settings.turn_lease_ms / 3_000)
        finished = {i: self._recordable(future.result()) for i, future in self._running.items() if future.done()}
        for index in finished:
            del self._running[index]
        now_ms = self._services.clock.now_ms()
        if not finished or now_ms >= self._renew_at_ms:
            self.acquire(now_ms)
        return finished

    def _recordable(self, result: Result) -> Result:
        """The result as it is to be recorded, or the failure to record in its place where it is too large for any log."""
        if isinstance(result, ErrorInfo):
            return result
        encoded = self._strand.wire.to_wire(result)
        try:
            payloads.require_storable(self._services, encoded)
        except PayloadTooLarge as refused:
            return error_info(refused)
        return encoded

    def _flush(self, results: dict[int, Result]) -> bool:
        """Append the commands issued so far and `results`; false where the turn is to be dropped."""
        backoff = append.Backoff(self._services)
        for _ in range(append.MAX_CONFLICTS):
            if self._strand.is_superseded:
                return False
            draft = self._draft(results)
            if draft is None:
                return True
            try:
                whole = self._strand.write(draft)
            except AppendConflict:
                backoff.wait()
                self._strand.read()
            else:
                self._flushed(self._strand.tip, draft.first_sequence)
                if whole:
                    return True
        raise append.Contended(self._strand.tip)

    def _draft(self, results: dict[int, Result]) -> Draft | None:
        commands, patches = self._strand.missing_commands(), self._strand.missing_patches()
        new = self._unrecorded(results) if results else {}
        if not commands and not patches and not new:
            return None
        draft = Draft(self._strand.tip.state, self._services.clock.now_ms())
        decide.resume(draft, self._worker_id)
        decide.mark(draft, patches)
        self._strand.issue(draft, commands)
        for index, result in sorted(new.items()):
            issued_at = self._issued_at(index, is_first=index == min(new))
            decide.record_operation(draft, index, self._names[index], result, issued_at=issued_at)
        return draft if draft.events else None  # a cancel of what has settled meanwhile asks for nothing

    def _issued_at(self, index: int, *, is_first: bool) -> int | None:
        """Where the code stood when it called, unless the log shows that: nothing has come before its result since."""
        operation = self._strand.driver.operation_at(index)
        if operation is None or (is_first and operation.issued_at == self._strand.driver.delivered_to):
            return None
        return operation.issued_at

    def _unrecorded(self, results: dict[int, Result]) -> dict[int, Result]:
        """Those of `results` that are still wanted: a duplicate may have recorded others, delivered here already or not."""
        wanted = {operation.index for operation in self._strand.driver.pending_operations()}
        wanted -= self._strand.recorded_operations()
        return {index: result for index, result in results.items() if index in wanted}


def wait(futures: Iterable[Future[Result]], *, timeout: float) -> None:
    """Until one of them is done, or `timeout` seconds have passed.

    A step is handed to a thread and back, and this is most of the way back: `concurrent.futures.wait` takes twice as long.
    """
    done: SimpleQueue[object] = SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    with suppress(Empty):
        done.get(timeout=timeout)


def _execute(operation: Operation) -> Result:
    try:
        outcome = operation.function()
        if inspect.isawaitable(outcome):
            return asyncio.run(_await(outcome))
        return outcome
    except BaseException as failure:  # noqa: BLE001 - an author's function may raise anything, and all of it is recorded
        return error_info(failure, non_retryable=operation.non_retryable)


async def _await(awaitable: object) -> JsonValue:
    return cast(JsonValue, await awaitable)  # type: ignore[misc]  # checked by isawaitable


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="ctx-run")
