"""The driver: runs one execution's workflow code by hand (laws 5 and 6).

Awaiting something unfinished yields a `Wait` to the driver; nothing is raised, so no `except` or `finally` runs. Nothing
resumes code except `deliver`, one log event at a time, to quiescence each. The driver does no I/O: what the code asked
for is read from it (`unrecorded`, `pending_operations`, `outcome`) and recorded by whoever drives it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from flowstrand.engine import ids
from flowstrand.engine.events import Event, RetryPolicy, WorkflowStarted
from flowstrand.engine.replay import delivery
from flowstrand.engine.replay.commands import (
    NO_TERMS,
    Cancel,
    CancelTask,
    CancelTimer,
    Command,
    ScheduleTask,
    StartChild,
    StartTimer,
    TaskTerms,
)
from flowstrand.engine.replay.fiber import Fiber
from flowstrand.engine.replay.foreign import no_event_loop
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.outcome import Outcome, Returned, Waiting, raised
from flowstrand.engine.replay.program import Program
from flowstrand.engine.replay.waits import Wait
from flowstrand.errors import (
    AuthorError,
    DeterminismViolation,
    LogCorrupted,
    TooManyOpenOperations,
)
from flowstrand.jsonvalue import JsonValue

MAX_OPEN_OPERATIONS = 2_000
"""How many operations one execution may have open at once."""

OperationFunction = Callable[[], JsonValue | Awaitable[JsonValue]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A `ctx.run` call: what to execute, and the future that its recorded result settles."""

    index: int
    name: str
    function: OperationFunction
    future: Future


class Driver:
    """One execution's code in memory.

    Attributes:
        execution_id, kind, queue: of the execution, from its first event.
        now_ms: the timestamp of the event being delivered.
        delivered_to: the last sequence delivered; 0 before the first.
        finished_at: the sequence whose delivery ended the code, or None.
        is_replaying: whether the event being delivered had been delivered in an earlier turn.
        is_dead: dropped from memory.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self.execution_id = ""
        self.kind = program.kind
        self.queue = ""
        self.now_ms = 0
        self.delivered_to = 0
        self.finished_at: int | None = None
        self.is_replaying = False
        self.is_dead = False
        self._fibers: list[Fiber] = []
        self._ready: deque[Fiber] = deque()
        self._fiber_of: dict[int, Fiber] = {}
        self._issued: dict[int, Command] = {}
        self._unrecorded: dict[int, Command] = {}
        self._issued_at: dict[int, int] = {}
        self._futures: dict[int, Future] = {}
        self._operations: dict[int, Operation] = {}
        self._position = 0
        self._index = 0
        self._branches = 0
        self._settled = 0
        self._open = 0
        self._violation: DeterminismViolation | None = None

    # --- what the shell does ------------------------------------------------------------------

    def deliver(self, event: Event, *, replaying: bool = False) -> None:
        """Deliver the next event of the log and run the code to quiescence.

        Raises:
            LogCorrupted: `event` is not the next one.
        """
        if event.sequence != self.delivered_to + 1:
            raise LogCorrupted(f"event {event.sequence} cannot follow event {self.delivered_to}")
        self.delivered_to = event.sequence
        if self._violation:
            return
        self.now_ms = event.timestamp_ms
        self.is_replaying = replaying
        try:
            delivery.deliver(self, event)
        except DeterminismViolation as violation:
            self._violation = violation
            self.finished_at = event.sequence
            self.drop()

    def unrecorded(self) -> list[Command]:
        """What the code has issued and the delivered log does not record, by position."""
        return [c for c in self._unrecorded.values() if not self._is_vain(c)]

    def issued_by(self, sequence: int) -> list[Command]:
        """What of `unrecorded` the code had issued by the time that the event at `sequence` was delivered."""
        return [command for command in self.unrecorded() if self._issued_at[command.position] <= sequence]

    def pending_operations(self) -> list[Operation]:
        """`ctx.run` calls without a delivered result, by index; none once the code has ended."""
        if self.finished_at is not None:
            return []
        return [operation for operation in self._operations.values() if not operation.future.is_done]

    def outcome(self) -> Outcome:
        """How the code stands. Ask only when no operation is pending."""
        if self._violation:
            return raised(self._violation)
        main = self._fibers[0].future
        if main.is_done:
            return raised(main.failure) if main.failure else Returned(main.value)
        waiting = [fiber.wait for fiber in self._fibers if not fiber.future.is_done and fiber.wait]
        groups = tuple(dict.fromkeys(group for wait in waiting for group in wait.groups()))
        if not groups:
            return raised(AuthorError("the workflow waits for nothing that can ever happen", code="DEADLOCK"))
        return Waiting(groups, self._issued[min(groups[0].positions())])

    def drop(self) -> None:
        """Forget the code: its coroutines unwind with a dead context."""
        self.is_dead = True
        self._ready.clear()
        with no_event_loop():
            for fiber in self._fibers:
                if not fiber.future.is_done:
                    fiber.drop()

    # --- what the SDK does --------------------------------------------------------------------

    def schedule_task(
        self, kind: str, input: JsonValue, *, queue: str, retry: RetryPolicy, terms: TaskTerms = NO_TERMS
    ) -> Future:
        """Ask for a task; its future settles when it has completed, failed for good or been cancelled."""
        position = self._operation_position()
        command = ScheduleTask(position=position, kind=kind, input=input, queue=queue, retry=retry, terms=terms)
        return self._issue(command, ids.TASK)

    def start_timer(self, fire_at_ms: int) -> Future:
        """Ask for a timer; its future settles with None when it has fired."""
        return self._issue(StartTimer(position=self._operation_position(), fire_at_ms=fire_at_ms), ids.TIMER)

    def start_child(
        self, kind: str, input: JsonValue, *, name: str, queue: str, timeout_ms: int | None = None
    ) -> Future:
        """Ask for a child workflow; its future settles when the child has ended."""
        position = self._operation_position()
        command = StartChild(
            position=position, kind=kind, name=name, input=input, queue=queue, timeout_ms=timeout_ms
        )
        return self._issue(command, ids.CHILD)

    def run(self, name: str, function: OperationFunction) -> Future:
        """Ask for `function` to be executed once, and its JSON result recorded."""
        self._index += 1
        future = Future(ids.operation_id(self.execution_id, ids.OPERATION, self._index), None)
        if self._is_live:
            self._operations[self._index] = Operation(self._index, name, function, future)
        return future

    def cancel(self, future: Future) -> None:
        """Ask for a task or timer to be cancelled. Settles nothing: the event does.

        Raises:
            ValueError: `future` is neither a task's nor a timer's.
        """
        if not self._is_live:
            return
        command = self._issued.get(future.position or 0)
        match command:
            case ScheduleTask():
                cancel: Cancel = CancelTask(position=self._next_position(), target=command.position)
            case StartTimer():
                cancel = CancelTimer(position=self._next_position(), target=command.position)
            case _:
                raise ValueError("only tasks and timers can be cancelled")
        self._note(cancel)

    def spawn(self, coroutine: Coroutine[Any, None, Any], name: str) -> Future:
        """Run `coroutine` as a branch beside the one that calls this; its future settles when it ends."""
        self._branches += 1
        future = Future(f"{self.execution_id}.{name}{self._branches}", None)
        if self._is_live:
            self._begin(coroutine, future)
        else:
            coroutine.close()
        return future

    # --- what delivery does -------------------------------------------------------------------

    def begin(self, started: WorkflowStarted) -> None:
        """Create the code from the first event and run it."""
        self.execution_id, self.queue = started.workflow_execution_id, started.queue
        main = Future(started.workflow_execution_id, None)
        self._begin(self._program.begin(self, started.input), main)  # type: ignore[arg-type]  # payloads are inlined
        self._run()

    def command_at(self, position: int) -> Command | None:
        """What the code issued at `position`."""
        return self._issued.get(position)

    def operation_at(self, index: int) -> Operation | None:
        """The `ctx.run` call with this index."""
        return self._operations.get(index)

    def record(self, position: int) -> None:
        """The log records the command at `position`."""
        self._unrecorded.pop(position, None)

    def settle(self, position: int, value: Any = None, failure: BaseException | None = None) -> None:
        """Settle the operation at `position` and run the code to quiescence."""
        self._open -= not self._futures[position].is_done
        self._settle(self._futures[position], value, failure)

    def settle_operation(self, index: int, value: Any = None, failure: BaseException | None = None) -> None:
        """Settle the `ctx.run` call with this index and run the code to quiescence."""
        self._settle(self._operations[index].future, value, failure)

    # --- inside -------------------------------------------------------------------------------

    def _issue(self, command: ScheduleTask | StartTimer | StartChild, family: str) -> Future:
        future = Future(ids.operation_id(self.execution_id, family, command.position), command.position)
        if not self._is_live:
            return future
        self._open += 1
        self._note(command)
        self._futures[command.position] = future
        return future

    def _note(self, command: Command) -> None:
        self._issued[command.position] = self._unrecorded[command.position] = command
        self._issued_at[command.position] = self.delivered_to

    def _operation_position(self) -> int:
        if self._is_live and self._open >= MAX_OPEN_OPERATIONS:
            raise TooManyOpenOperations(f"an execution may have {MAX_OPEN_OPERATIONS} operations open at once")
        return self._next_position()

    def _next_position(self) -> int:
        self._position += 1
        return self._position

    @property
    def _is_live(self) -> bool:
        """Whether what is asked for counts.

        A dead driver records nothing and settles nothing, and does not raise either: code that catches everything and
        tries again would never stop raising, but it does stop at an await.
        """
        return not self.is_dead and self.finished_at is None

    def _begin(self, coroutine: Coroutine[Any, None, Any], future: Future) -> None:
        fiber = Fiber(coroutine, future)
        self._fibers.append(fiber)
        self._ready.append(fiber)

    def _settle(self, future: Future, value: Any, failure: BaseException | None) -> None:
        self._release(future, value, failure)
        self._run()

    def _release(self, future: Future, value: Any, failure: BaseException | None) -> None:
        self._settled += 1
        for wait in future.settle(self._settled, value, failure):
            fiber = self._fiber_of.pop(id(wait), None)
            if fiber is not None:  # else the wait of a branch that was dropped, made while it unwound
                self._ready.append(fiber)

    def _run(self) -> None:
        """Step branches, first released first, until every one waits."""
        with no_event_loop():
            while self._ready and self.finished_at is None:
                self._step(self._ready.popleft())
        if self.finished_at is not None:
            self.drop()

    def _step(self, fiber: Fiber) -> None:
        ended = fiber.step()
        if ended is None:
            self._suspend(fiber, fiber.wait)
            return
        self._release(fiber.future, *ended)
        if fiber is self._fibers[0]:
            self.finished_at = self.delivered_to
        else:
            self._fibers.remove(fiber)

    def _suspend(self, fiber: Fiber, wait: Wait | None) -> None:
        if wait is not None:
            self._fiber_of[id(wait)] = fiber

    def _is_vain(self, command: Command) -> bool:
        """A cancel of something that has settled asks for nothing."""
        return isinstance(command, CancelTask | CancelTimer) and self._futures[command.target].is_done
