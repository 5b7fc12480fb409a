"""Asking: what workflow code asks of the world, entered in the ledger with the future that will answer it."""

from __future__ import annotations

from flowstrand.engine import ids
from flowstrand.engine.events import ParentClosePolicy, RetryPolicy
from flowstrand.engine.replay.branches import Branches
from flowstrand.engine.replay.commands import (
    NO_TERMS,
    Cancel,
    CancelChild,
    CancelTask,
    CancelTimer,
    ClearState,
    CreatePromise,
    Request,
    ScheduleTask,
    SetState,
    StartChild,
    StartTimer,
    TaskTerms,
)
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.ledger import Ledger, Operation, OperationFunction
from flowstrand.engine.replay.signals import SignalFuture, Signals
from flowstrand.jsonvalue import JsonValue


class Requests:
    """The part of a driver that issues commands.

    Attributes:
        execution_id: of the execution, from its first event.
        delivered_to: the last sequence delivered; 0 before the first.
        finished_at: the sequence whose delivery ended the code, or None.
        is_dead: dropped from memory.
        signals: those that have been delivered.
        values: the workflow's own state, as the code sees it.
    """

    def __init__(self) -> None:
        self.execution_id = ""
        self.delivered_to = 0
        self.finished_at: int | None = None
        self.is_dead = False
        self.signals = Signals()
        self.values: dict[str, JsonValue] = {}
        self._ledger = Ledger()
        self._branches = Branches()

    def schedule_task(
        self, kind: str, input: JsonValue, *, queue: str, retry: RetryPolicy, terms: TaskTerms = NO_TERMS
    ) -> Future:
        """Ask for a task; its future settles when it has completed, failed for good or been cancelled."""
        position = self._operation_position()
        command = ScheduleTask(position=position, kind=kind, input=input, queue=queue, retry=retry, terms=terms)
        return self._request(command, ids.TASK)

    def start_timer(self, fire_at_ms: int, *, is_timeout: bool = False) -> Future:
        """Ask for a timer; its future settles with None when it has fired.

        Args:
            is_timeout: it limits how long the code waits for something else.
        """
        position = self._operation_position()
        return self._request(
            StartTimer(position=position, fire_at_ms=fire_at_ms, is_timeout=is_timeout), ids.TIMER
        )

    def create_promise(self, name: str, *, key: str | None = None, timeout_at_ms: int | None = None) -> Future:
        """Ask for a promise; its future settles when somebody has settled it, or its timeout has passed."""
        position = self._operation_position()
        command = CreatePromise(position=position, name=name, key=key, timeout_at_ms=timeout_at_ms)
        return self._request(command, ids.PROMISE)

    def start_child(
        self,
        kind: str,
        input: JsonValue,
        *,
        name: str,
        queue: str,
        child_id: str | None = None,
        parent_close_policy: ParentClosePolicy = ParentClosePolicy.CANCEL,
        timeout_ms: int | None = None,
    ) -> Future:
        """Ask for a child workflow; its future settles when the child has ended."""
        position = self._operation_position()
        command = StartChild(
            position=position,
            kind=kind,
            name=name,
            input=input,
            queue=queue,
            child_id=child_id,
            parent_close_policy=parent_close_policy,
            timeout_ms=timeout_ms,
        )
        return self._request(command, ids.CHILD, child_id)

    def wait_for_signal(self, name: str) -> Future:
        """The next signal called `name`. It is taken when code waits for this future, not before."""
        return SignalFuture(f"{self.execution_id}.{name}", name, self.signals)

    def run(self, name: str, function: OperationFunction, *, non_retryable: tuple[str, ...] = ()) -> Future:
        """Ask for `function` to be executed once, and its JSON result recorded.

        Args:
            non_retryable: names of exception classes; the record of such a failure says that trying again cannot help.
        """
        index = self._ledger.next_index()
        future = Future(ids.operation_id(self.execution_id, ids.OPERATION, index), None)
        if self._is_live:
            operation = Operation(index, name, function, future, self.delivered_to, non_retryable)
            self._ledger.enter_operation(operation)
        return future

    def cancel(self, future: Future, reason: str | None = None) -> None:
        """Ask for a task, timer or child workflow to be cancelled. Settles nothing: the event does.

        Raises:
            ValueError: `future` is something else.
        """
        if not self._is_live:
            return
        command = self._ledger.command_at(future.position or 0)
        match command:
            case ScheduleTask(position=target):
                cancel: Cancel = CancelTask(position=self._ledger.next_position(), target=target)
            case StartTimer(position=target):
                cancel = CancelTimer(position=self._ledger.next_position(), target=target)
            case StartChild(position=target):
                cancel = CancelChild(position=self._ledger.next_position(), target=target, reason=reason)
            case _:
                raise ValueError("only tasks, timers and child workflows can be cancelled")
        self._ledger.enter(cancel, at=self.delivered_to)

    def is_cancellable(self, future: Future) -> bool:
        """Whether `future` is that of a task, timer or child workflow."""
        command = self._ledger.command_at(future.position or 0)
        return isinstance(command, ScheduleTask | StartTimer | StartChild)

    def set_value(self, key: str, value: JsonValue) -> None:
        """Set a value of the workflow's own state."""
        if self._is_live:
            self.values[key] = value
            position = self._ledger.next_position()
            self._ledger.enter(SetState(position=position, key=key, value=value), at=self.delivered_to)

    def clear_value(self, key: str) -> None:
        """Clear a value of the workflow's own state, if it is set."""
        if self._is_live and key in self.values:
            del self.values[key]
            self._ledger.enter(ClearState(position=self._ledger.next_position(), key=key), at=self.delivered_to)

    @property
    def _is_live(self) -> bool:
        """Whether what is asked for counts.

        A dead driver records nothing and settles nothing, and does not raise either: code that catches everything and
        tries again would never stop raising, but it does stop at an await.
        """
        return not self.is_dead and self.finished_at is None and not self._branches.is_stopped

    def _request(self, command: Request, family: str, id: str | None = None) -> Future:
        id = id or ids.operation_id(self.execution_id, family, command.position)
        future = Future(id, command.position)
        if self._is_live:
            self._ledger.request(command, future, at=self.delivered_to)
        return future

    def _operation_position(self) -> int:
        if self._is_live:
            self._ledger.require_room()
        return self._ledger.next_position()
