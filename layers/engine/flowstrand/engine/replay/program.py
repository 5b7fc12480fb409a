"""`Program`: workflow code as the engine sees it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from flowstrand.jsonvalue import JsonValue

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver


class Program(Protocol):
    """One kind of workflow. The SDK makes these from decorated functions and classes."""

    @property
    def kind(self) -> str:
        """The name that executions are started by."""
        ...

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        """The coroutine of one execution, not yet started: decodes `input`, runs the code, encodes its output.

        Whatever it raises fails the execution.
        """
        ...
