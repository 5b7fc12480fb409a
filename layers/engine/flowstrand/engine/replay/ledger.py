"""The ledger: what workflow code has asked for, and what of it the delivered log records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from flowstrand.dataclass import dataclass
from flowstrand.engine.replay.commands import (
    CancelChild,
    CancelTask,
    CancelTimer,
    Command,
    Request,
)
from flowstrand.engine.replay.futures import Future
from flowstrand.errors import TooManyOpenOperations
from flowstrand.jsonvalue import JsonValue

MAX_OPEN_OPERATIONS = 2_000
"""How many operations one execution may have open at once."""

OperationFunction = Callable[[], JsonValue | Awaitable[JsonValue]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A `ctx.run` call: what to execute, and the future that its recorded result settles.

    Attributes:
        issued_at: up to where the code had seen the log.
        non_retryable: names of exception classes after which trying again cannot help.
    """

    index: int
    name: str
    function: OperationFunction
    future: Future
    issued_at: int
    non_retryable: tuple[str, ...] = ()


class Ledger:
    """Of one execution.

    Attributes:
        last_position: of the newest command.
        last_index: of the newest `ctx.run` call.
    """

    def __init__(self) -> None:
        self.last_position = 0
        self.last_index = 0
        self._issued: dict[int, Command] = {}
        self._unrecorded: dict[int, Command] = {}
        self._issued_at: dict[int, int] = {}
        self._futures: dict[int, Future] = {}
        self._operations: dict[int, Operation] = {}
        self._unsettled_operations: dict[int, Operation] = {}
        self._open = 0

    # --- commands -----------------------------------------------------------------------------

    def next_position(self) -> int:
        """The position of the next command."""
        self.last_position += 1
        return self.last_position

    def require_room(self) -> None:
        """Refuse one operation too many.

        Raises:
            TooManyOpenOperations: as many are open as may be.
        """
        if self._open >= MAX_OPEN_OPERATIONS:
            raise TooManyOpenOperations(f"an execution may have {MAX_OPEN_OPERATIONS} operations open at once")

    def request(self, command: Request, future: Future, *, at: int) -> None:
        """Enter a command that `future` answers."""
        self._open += 1
        self._futures[command.position] = future
        self.enter(command, at=at)

    def enter(self, command: Command, *, at: int) -> None:
        """Enter a command that code issued when it had seen the log up to `at`."""
        self._issued[command.position] = self._unrecorded[command.position] = command
        self._issued_at[command.position] = at

    def command_at(self, position: int) -> Command | None:
        """What the code issued at `position`."""
        return self._issued.get(position)

    def record(self, position: int) -> None:
        """The log records the command at `position`."""
        self._unrecorded.pop(position, None)

    def unrecorded(self) -> list[Command]:
        """What was issued and the delivered log does not record, by position."""
        return [command for command in self._unrecorded.values() if not self._is_vain(command)]

    def issued_by(self, sequence: int) -> list[Command]:
        """What of `unrecorded` had been issued by the time that the event at `sequence` was delivered."""
        return [command for command in self.unrecorded() if self._issued_at[command.position] <= sequence]

    def settling(self, position: int) -> Future:
        """The future of the operation at `position`, which settles now."""
        future = self._futures[position]
        self._open -= not future.is_done
        return future

    def _is_vain(self, command: Command) -> bool:
        """A cancel of something that has settled asks for nothing."""
        if isinstance(command, CancelTask | CancelTimer | CancelChild):
            return self._futures[command.target].is_done
        return False

    # --- `ctx.run` ----------------------------------------------------------------------------

    def next_index(self) -> int:
        """The index of the next `ctx.run` call."""
        self.last_index += 1
        return self.last_index

    def enter_operation(self, operation: Operation) -> None:
        """Enter a `ctx.run` call."""
        self._operations[operation.index] = self._unsettled_operations[operation.index] = operation

    def operation_at(self, index: int) -> Operation | None:
        """The `ctx.run` call with this index."""
        return self._operations.get(index)

    def settling_operation(self, index: int) -> Future:
        """The future of the `ctx.run` call with this index, which settles now."""
        self._unsettled_operations.pop(index, None)
        return self._operations[index].future

    def unsettled_operations(self) -> list[Operation]:
        """`ctx.run` calls without a delivered result, by index."""
        return list(self._unsettled_operations.values())
