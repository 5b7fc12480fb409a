"""Signals: messages sent to an execution from outside, first in, first out for each name."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.waits import any_of
from flowstrand.errors import TimedOut
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk import names
from flowstrand.sdk.context_base import ContextBase
from flowstrand.sdk.duration import Duration, to_ms
from flowstrand.sdk.handles import Handle
from flowstrand.sdk.serde import Serde

T = TypeVar("T")


class Signals(ContextBase):
    """`wait_for_signal`, `has_signal`, `pending_signal_count` and `drain_signals`.

    All of them see the signals whose events have been delivered to the code so far: the same ones on every replay.
    """

    @overload
    def wait_for_signal(self, name: str, type: type[T], *, timeout: Duration | None = None) -> Handle[T]: ...
    @overload
    def wait_for_signal(
        self, name: str, type: object = ..., *, timeout: Duration | None = None
    ) -> Handle[Any]: ...
    def wait_for_signal(self, name: str, type: object = Any, *, timeout: Duration | None = None) -> Handle[Any]:
        """The next signal called `name`; awaiting the handle gives its value.

        A signal is taken when the handle is awaited, alone or in a `select` or `gather`: a handle that lost a `select` has
        taken none. With a timeout it is awaited from the call on.

        Args:
            name: which signals; each is given to one who waits, first come, first served.
            type: what its value is read as; plain JSON by default.
            timeout: seconds or a timedelta from now.

        Raises:
            TimedOut: on awaiting, if none came in time.
            NotSerializable: on awaiting, if the value does not fit `type`; it is taken all the same.
        """
        serde, what = Serde(type), _what(name)
        future = self._driver.wait_for_signal(name)
        if timeout is not None:
            fires_at_ms = self._driver.now_ms + to_ms(timeout, "a timeout")
            future = self._driver.spawn(self._receive(future, name, fires_at_ms), "signal")
        return Handle(self._driver, future, lambda data: serde.decode(data, what))

    def has_signal(self, name: str) -> bool:
        """Whether a signal called `name` has come and not been taken."""
        return self.pending_signal_count(name) > 0

    def pending_signal_count(self, name: str) -> int:
        """How many signals called `name` have come and not been taken."""
        return self._driver.signals.count(names.label(name, "a signal"))

    @overload
    def drain_signals(self, name: str, type: type[T]) -> list[T]: ...
    @overload
    def drain_signals(self, name: str, type: object = ...) -> list[Any]: ...
    def drain_signals(self, name: str, type: object = Any) -> list[Any]:
        """Take every signal called `name` that has come, oldest first, without waiting; may be empty.

        Raises:
            NotSerializable: a value does not fit `type`.
        """
        serde, what = Serde(type), _what(name)
        taken: list[Any] = []
        while (received := self._driver.signals.take(name)) is not None:
            taken.append(serde.decode(received.value, what))
        return taken

    async def _receive(self, signal: Future, name: str, fires_at_ms: int) -> JsonValue:
        timer = self._driver.start_timer(fires_at_ms, is_timeout=True)
        try:
            if await any_of([signal, timer]) is timer:
                raise TimedOut(f"no signal {name!r} came in time")
        finally:
            if not timer.is_done:
                self._driver.cancel(timer)
        value: JsonValue = signal.value
        return value


def _what(name: str) -> str:
    return f"the value of signal {names.label(name, 'a signal')!r}"
