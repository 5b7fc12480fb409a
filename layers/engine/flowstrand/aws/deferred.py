"""`deferred`: an adapter that is made when it is first used, so that a process pays only for those that it needs.

An AWS client costs megabytes and a good part of a second, and what an adapter imports as much again.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar, cast

AdapterT = TypeVar("AdapterT")


def deferred(make: Callable[[], AdapterT]) -> AdapterT:
    """What `make` will return, once. Where it raises, so does the use, and the next one tries again."""
    return cast(AdapterT, _Deferred(make))


class _Deferred:
    """Stands for what it makes in everything but its type; `isinstance` looks through it."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._made: object = None
        self._lock = Lock()

    def _get(self) -> object:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._get(), name)

    @property  # type: ignore[misc]  # as a proxy's class is read, not set
    def __class__(self) -> Any:
        return type(self._get())
