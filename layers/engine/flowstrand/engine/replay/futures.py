"""`Future`: the outcome of one operation, settled only by the delivery of a log event."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Protocol

from flowstrand.jsonvalue import JsonValue

if TYPE_CHECKING:
    from flowstrand.engine.replay.waits import Wait


class Observer(Protocol):
    """What is told of a future's outcome."""

    @property
    def is_live(self) -> bool:
        """Whether code is suspended on it now."""
        ...

    def note(self, future: Future) -> Wait | None:
        """Take note that `future` has settled; returns the wait that this ends."""
        ...


class Future:
    """Awaitable. Returns the recorded value, or raises the recorded failure.

    Attributes:
        id: the operation's public id.
        position: of its command; None for an operation run by `ctx.run`, a signal and a branch.
        signal: the name of the signal it stands for.
        order: the rank of its settlement in the log, from 1; 0 while open.
        failure: what awaiting it raises, once it has failed.
        value: what awaiting it returns, once it has succeeded.
    """

    __slots__ = ("failure", "id", "observers", "order", "position", "signal", "value")

    def __init__(self, id: str, position: int | None, signal: str | None = None) -> None:
        self.id = id
        self.position = position
        self.signal = signal
        self.order = 0
        self.value: Any = None
        self.failure: BaseException | None = None
        self.observers: list[Observer] = []

    @property
    def is_done(self) -> bool:
        """Whether its settling event has been delivered."""
        return self.order > 0

    @property
    def is_awaited(self) -> bool:
        """Whether code is suspended on it now."""
        return any(observer.is_live for observer in self.observers)

    @property
    def comes_at(self) -> int:
        """The rank at which it settled, or would if code waited for it now; 0 where it would not."""
        return self.order

    def prepare(self) -> None:
        """Called before code waits for it: a signal looks whether one has come already."""

    def attach(self, observer: Observer) -> None:
        """Tell `observer` of the outcome."""
        self.observers.append(observer)

    def detach(self, observer: Observer) -> None:
        """Do not tell it after all."""
        self.observers.remove(observer)

    def settle(self, order: int, value: Any = None, failure: BaseException | None = None) -> list[Wait]:
        """Record the outcome; returns the waits that it ends. The first outcome stays."""
        if self.is_done:
            return []
        self.order, self.value, self.failure = order, value, failure
        observers, self.observers = self.observers, []
        return [wait for observer in observers if (wait := observer.note(self)) is not None]

    def __await__(self) -> Generator[Any, None, JsonValue]:
        return self.wait(is_shielded=False)

    def wait(self, *, is_shielded: bool) -> Generator[Any, None, JsonValue]:
        """Await it; `is_shielded` keeps a cancellation out until it has settled."""
        from flowstrand.engine.replay.waits import all_of

        yield from all_of([self], is_shielded=is_shielded).__await__()
        if self.failure is not None:
            # A future may be awaited more than once; each time from its own place in the code.
            raise self.failure.with_traceback(None)
        value: JsonValue = self.value
        return value
