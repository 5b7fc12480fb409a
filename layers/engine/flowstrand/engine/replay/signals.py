"""Signals: those that have come and nobody has taken, and the futures that wait for the next of a name.

A signal is taken when code waits for it, first come, first served: by the future that was waiting when it was delivered, or
else by the first that waits afterwards. A handle that nobody awaits any more, such as one that lost a `select`, takes none.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.engine.replay.futures import Future, Observer


@dataclass(frozen=True, slots=True)
class Received:
    """A signal that has been delivered.

    Attributes:
        sequence: of its event.
        order: its rank among settlements.
    """

    sequence: int
    order: int
    value: Any


class SignalFuture(Future):
    """Settles with the value of the next signal of its name, once code waits for it."""

    __slots__ = ("_signals",)

    def __init__(self, id: str, name: str, signals: Signals) -> None:
        super().__init__(id, None, signal=name)
        self._signals = signals

    @property
    def comes_at(self) -> int:
        """The rank of the signal that it has taken, or would take now."""
        assert self.signal is not None
        return self.order or self._signals.next_rank(self.signal)

    def prepare(self) -> None:
        """Take a signal that has come already."""
        assert self.signal is not None
        if not self.is_done and (received := self._signals.take(self.signal)) is not None:
            self.settle(received.order, received.value)

    def attach(self, observer: Observer) -> None:
        """Stand in line for the next one."""
        super().attach(observer)
        self._signals.stand_in_line(self)


class Signals:
    """Of one execution."""

    def __init__(self) -> None:
        self._untaken: dict[str, deque[Received]] = defaultdict(deque)
        self._in_line: dict[str, list[SignalFuture]] = defaultdict(list)

    def receive(self, name: str, received: Received) -> SignalFuture | None:
        """The future that the signal settles; if there is none, it is kept until it is taken."""
        line = [future for future in self._in_line[name] if not future.is_done and future.is_awaited]
        self._in_line[name] = line[1:]
        if line:
            return line[0]
        self._untaken[name].append(received)
        return None

    def stand_in_line(self, future: SignalFuture) -> None:
        """`future` is awaited from now on, behind those that are awaited already."""
        assert future.signal is not None
        line = self._in_line[future.signal]
        line[:] = [other for other in line if other is not future and not other.is_done and other.is_awaited]
        line.append(future)

    def take(self, name: str) -> Received | None:
        """The oldest untaken signal of this name, if there is one."""
        untaken = self._untaken[name]
        return untaken.popleft() if untaken else None

    def next_rank(self, name: str) -> int:
        """The rank of the oldest untaken signal of this name; 0 where there is none."""
        untaken = self._untaken[name]
        return untaken[0].order if untaken else 0

    def count(self, name: str) -> int:
        """How many of this name have come and not been taken."""
        return len(self._untaken[name])

    def untaken(self) -> tuple[int, ...]:
        """Sequences of all that have not been taken, in order."""
        return tuple(sorted(received.sequence for queue in self._untaken.values() for received in queue))
