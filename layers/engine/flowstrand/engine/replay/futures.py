"""`Future`: the outcome of one operation, settled only by the delivery of a log event."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from flowstrand.jsonvalue import JsonValue

if TYPE_CHECKING:
    from flowstrand.engine.replay.waits import Wait


class Future:
    """Awaitable. Returns the recorded value, or raises the recorded failure.

    Attributes:
        id: the operation's public id.
        position: of its command; None for an operation run by `ctx.run` and for a branch.
        order: the rank of its settlement in the log, from 1; 0 while open.
        failure: what awaiting it raises, once it has failed.
        value: what awaiting it returns, once it has succeeded.
    """

    __slots__ = ("failure", "id", "order", "position", "value", "waits")

    def __init__(self, id: str, position: int | None) -> None:
        self.id = id
        self.position = position
        self.order = 0
        self.value: Any = None
        self.failure: BaseException | None = None
        self.waits: list[Wait] = []

    @property
    def is_done(self) -> bool:
        """Whether its settling event has been delivered."""
        return self.order > 0

    def settle(self, order: int, value: Any = None, failure: BaseException | None = None) -> list[Wait]:
        """Record the outcome; returns the waits that it releases. The first outcome stays."""
        if self.is_done:
            return []
        self.order, self.value, self.failure = order, value, failure
        waits, self.waits = self.waits, []
        return [wait for wait in waits if wait.note(self)]

    def __await__(self) -> Generator[Any, None, JsonValue]:
        from flowstrand.engine.replay.waits import all_of

        yield from all_of([self]).__await__()
        if self.failure is not None:
            # A future may be awaited more than once; each time from its own place in the code.
            raise self.failure.with_traceback(None)
        value: JsonValue = self.value
        return value
