"""What goes into one request, of what waits to be sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def first_batch(waiting: Iterable[tuple[T, int]], *, most: int, most_bytes: int) -> list[tuple[T, int]]:
    """The first of `waiting`, each with its size: as many as fit, and at least one, if there is any."""
    batch: list[tuple[T, int]] = []
    left = most_bytes
    for item, size in waiting:
        left -= size
        if batch and (left < 0 or len(batch) == most):
            break
        batch.append((item, size))
    return batch
