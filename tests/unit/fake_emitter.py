"""`FakeEmitter`: takes what a task emits."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any

from flowstrand.engine.chunk import Chunk


class FakeEmitter:
    """An `emit` for `TaskContext` that has room for everything, and keeps it."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def __call__(self, chunk: Chunk) -> Awaitable[None]:
        self.chunks.append(chunk)
        return _Done()


class _Done(Awaitable[None]):
    def __await__(self) -> Generator[Any, None, None]:
        yield from ()
