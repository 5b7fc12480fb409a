"""`PortCall`: the seam of every fake here. A test that injects faults wraps each operation; others pass it through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class PortCall(Protocol):
    """Carries out one operation of a port, or fails before or after it."""

    def __call__(self, name: str, operation: Callable[[], T]) -> T:
        """`name` is the port and the operation, as in `log.put`."""
        ...


def untouched(name: str, operation: Callable[[], T]) -> T:
    """No faults."""
    return operation()
