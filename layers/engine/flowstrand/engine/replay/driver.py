"""The driver: runs one execution's workflow code by hand (laws 5 and 6).

Awaiting something unfinished yields a `Wait` to the driver; nothing is raised, so no `except` or `finally` runs. Nothing
resumes code except `deliver`, one log event at a time, to quiescence each. The driver does no I/O: what the code asked
for is read from it (`unrecorded`, `pending_operations`, `outcome`) and recorded by whoever drives it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, NoReturn

from flowstrand.engine import ids
from flowstrand.engine.events import Event, SuspendType, WorkflowStarted
from flowstrand.engine.replay import delivery
from flowstrand.engine.replay.commands import (
    Command,
    CreatePromise,
    ScheduleTask,
    StartChild,
    StartTimer,
)
from flowstrand.engine.replay.fiber import Interrupt
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.ledger import Operation
from flowstrand.engine.replay.outcome import Cancelled, Continued, Outcome, Returned, Waiting, raised
from flowstrand.engine.replay.patches import Patches
from flowstrand.engine.replay.program import Program
from flowstrand.engine.replay.requests import Requests
from flowstrand.engine.replay.signals import Received
from flowstrand.errors import AuthorError, DeterminismViolation, LogCorrupted, WorkflowCancelled
from flowstrand.jsonvalue import JsonValue

_SUSPEND_TYPES: dict[type[Command], SuspendType] = {
    ScheduleTask: SuspendType.TASK,
    StartTimer: SuspendType.TIMER,
    CreatePromise: SuspendType.PROMISE,
    StartChild: SuspendType.CHILD_WORKFLOW,
}


class Driver(Requests):
    """One execution's code in memory.

    Attributes:
        kind, queue: of the execution, from its first event.
        wire: how its values are written; whoever drives it decodes and encodes them.
        now_ms: when the event being delivered happened.
        seed: what chance is drawn from.
        is_retry: whether its log begins with the history of another execution, which failed.
        is_replaying: whether the event being delivered had been delivered in an earlier turn.
        is_cancel_requested: whether a cancellation has been delivered.
    """

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self.kind = program.kind
        self.wire = program.wire
        self.queue = ""
        self.seed = ""
        self.is_retry = False
        self.now_ms = 0
        self.is_replaying = False
        self.is_cancel_requested = False
        self._cancel_reason: str | None = None
        self._patches = Patches(self)
        self._main: Future | None = None
        self._spawned = 0
        self._continued: Continued | None = None
        self._violation: DeterminismViolation | None = None

    # --- what the shell does ------------------------------------------------------------------

    def foresee(self, ahead: Iterable[Event]) -> None:
        """Say which events are in the log and are going to be delivered: what `patched` needs to know."""
        self._patches.foresee(ahead)

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
        self.now_ms = event.happened_at_ms or event.timestamp_ms
        self.is_replaying = replaying
        try:
            delivery.deliver(self, event)
        except DeterminismViolation as violation:
            self._violation = violation
            self.finished_at = event.sequence
            self.drop()

    def unrecorded(self) -> list[Command]:
        """What the code has issued and the delivered log does not record, by position.

        Nothing, once the code no longer matches its log: what it asks for is not what this execution asks for.
        """
        return [] if self._violation else self._ledger.unrecorded()

    def issued_by(self, sequence: int) -> list[Command]:
        """What of `unrecorded` the code had issued by the time that the event at `sequence` was delivered."""
        return [] if self._violation else self._ledger.issued_by(sequence)

    def unrecorded_patches(self) -> list[str]:
        """Patches that apply and whose markers the delivered log does not hold."""
        return [] if self._violation else list(self._patches.unrecorded)

    def pending_operations(self) -> list[Operation]:
        """`ctx.run` calls without a delivered result, by index; none once the code has ended."""
        return [] if self.finished_at is not None else self._ledger.unsettled_operations()

    def outcome(self) -> Outcome:
        """How the code stands. Ask only when no operation is pending."""
        if self._violation:
            return raised(self._violation)
        if self._continued:
            return self._continued
        main = self._main
        if main is not None and main.is_done:
            return self._end_of(main)
        groups = tuple(dict.fromkeys(group for wait in self._branches.waits() for group in wait.groups()))
        if not groups:
            return raised(AuthorError("the workflow waits for nothing that can ever happen", code="DEADLOCK"))
        first = min(groups[0].positions(), default=None)
        command = None if first is None else self._ledger.command_at(first)
        return Waiting(groups, SuspendType.SIGNAL if command is None else _SUSPEND_TYPES[type(command)])

    def drop(self) -> None:
        """Forget the code: its coroutines unwind with a dead context."""
        self.is_dead = True
        self._branches.drop()

    # --- what the SDK does, beside asking -------------------------------------------------------

    def spawn(self, coroutine: Coroutine[Any, None, Any], name: str, *, is_shielded: bool = False) -> Future:
        """Run `coroutine` as a branch beside the one that calls this; its future settles when it ends.

        Args:
            is_shielded: a cancellation does not reach it.
        """
        self._spawned += 1
        future = Future(f"{self.execution_id}.{name}{self._spawned}", None)
        if self._is_live:
            self._branches.begin(coroutine, future, is_shielded=is_shielded)
        else:
            coroutine.close()
        return future

    def interrupt(self, future: Future, interrupt: Interrupt) -> bool:
        """Raise something at the wait of the branch behind `future`; says whether there is such a branch."""
        return self._is_live and self._branches.interrupt(future, interrupt)

    def shield(self, future: Future) -> None:
        """Keep interruptions out of the branch behind `future`, if there is such a branch."""
        if self._is_live:
            self._branches.shield(future)

    def check_cancellation(self) -> None:
        """Raise the cancellation here and now, if there is one; it is not raised again at the next wait.

        Raises:
            WorkflowCancelled: the execution has been asked to end.
        """
        if self.is_cancel_requested:
            if self._branches.current is not None:
                self._branches.current.pending = None
            raise self._cancellation()

    def continue_as(self, input: JsonValue) -> Future:
        """End the code here; another execution goes on with `input`. The future never settles: await it.

        Raises:
            WorkflowCancelled: a cancellation was still to be raised.
        """
        current = self._branches.current
        if current is not None and current.pending is not None and not current.is_shielded:
            self.check_cancellation()
        if self._is_live:
            self._continued = Continued(input, self.signals.untaken())
            self._branches.is_stopped = True
        return Future(ids.successor_id(self.execution_id), None)

    def is_patched(self, patch: str) -> bool:
        """Whether this execution follows the code as it is since `patch`."""
        return self._patches.is_patched(patch, is_recorded=self._is_live)

    def violate(self, violation: DeterminismViolation) -> NoReturn:
        """Fail the execution with `violation`, whatever the code makes of it.

        Raises:
            DeterminismViolation: always.
        """
        if self._is_live:
            self._violation = violation
            self._branches.is_stopped = True
        raise violation

    # --- what delivery does -------------------------------------------------------------------

    def begin(self, started: WorkflowStarted) -> None:
        """Create the code from the first event and run it."""
        self.execution_id, self.queue = started.workflow_execution_id, started.queue
        self.is_retry = started.retry_of is not None
        self.seed = started.retry_of.origin if started.retry_of else started.workflow_execution_id
        self._main = Future(started.workflow_execution_id, None)
        self._branches.begin(
            self._program.begin(self, started.input),  # type: ignore[arg-type]  # payloads are inlined
            self._main,
        )
        self._run()

    def command_at(self, position: int) -> Command | None:
        """What the code issued at `position`."""
        return self._ledger.command_at(position)

    def operation_at(self, index: int) -> Operation | None:
        """The `ctx.run` call with this index."""
        return self._ledger.operation_at(index)

    def record(self, position: int) -> None:
        """The log records the command at `position`."""
        self._ledger.record(position)

    def record_patch(self, patch: str) -> None:
        """The log records the marker of `patch`."""
        self._patches.record(patch)

    def settle(self, position: int, value: Any = None, failure: BaseException | None = None) -> None:
        """Settle the operation at `position` and run the code to quiescence."""
        self._branches.settle(self._ledger.settling(position), value, failure)
        self._run()

    def settle_operation(self, index: int, value: Any = None, failure: BaseException | None = None) -> None:
        """Settle the `ctx.run` call with this index and run the code to quiescence."""
        self._branches.settle(self._ledger.settling_operation(index), value, failure)
        self._run()

    def receive(self, name: str, sequence: int, value: Any) -> None:
        """Give a signal to who waits for it, and run the code to quiescence."""
        received = Received(sequence, self._branches.next_rank(), value)
        future = self.signals.receive(name, received)
        if future is not None:
            self._branches.settle(future, value)
            self._run()

    def request_cancellation(self, reason: str | None) -> None:
        """Interrupt every branch, and run the code to quiescence; code that has ended never hears of it."""
        if self.finished_at is not None:
            return
        self.is_cancel_requested, self._cancel_reason = True, reason
        self._branches.interrupt_all(self._cancellation)
        self._run()

    # --- inside -------------------------------------------------------------------------------

    @property
    def last_position(self) -> int:
        """The position of the newest command that the code has issued."""
        return self._ledger.last_position

    @property
    def last_index(self) -> int:
        """The index of the newest `ctx.run` call."""
        return self._ledger.last_index

    def _run(self) -> None:
        """Run the code to quiescence; forget it where it has ended."""
        main = self._main
        assert main is not None
        self._branches.run(main)
        if self.finished_at is None and (main.is_done or self._branches.is_stopped):
            self.finished_at = self.delivered_to
            self.drop()

    def _end_of(self, main: Future) -> Outcome:
        match main.failure:
            case None:
                return Returned(main.value)
            case WorkflowCancelled() if self.is_cancel_requested:
                return Cancelled(self._cancel_reason)
            case failure:
                return raised(failure)

    def _cancellation(self) -> WorkflowCancelled:
        return WorkflowCancelled(self._cancel_reason or "the execution was asked to cancel")
