"""`Program`: workflow code as the engine sees it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from flowstrand.jsonvalue import JsonValue

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver


class Wire(Protocol):
    """How values are written to the log, and read from it."""

    def to_wire(self, value: JsonValue) -> JsonValue:
        """`value` as the log keeps it."""
        ...

    def from_wire(self, value: JsonValue) -> JsonValue:
        """The inverse of `to_wire`; the same object where there was nothing to do."""
        ...


class _PlainWire:
    """The log keeps values as they are."""

    def to_wire(self, value: JsonValue) -> JsonValue:
        return value

    def from_wire(self, value: JsonValue) -> JsonValue:
        return value


PLAIN_WIRE: Wire = _PlainWire()


class Program(Protocol):
    """One kind of workflow. The SDK makes these from decorated functions and classes."""

    @property
    def kind(self) -> str:
        """The name that executions are started by."""
        ...

    @property
    def wire(self) -> Wire:
        """How its values are written."""
        ...

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        """The coroutine of one execution, not yet started: decodes `input`, runs the code, encodes its output.

        Whatever it raises fails the execution.
        """
        ...
