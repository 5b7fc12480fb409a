"""Many reads at once: stores block, and a tree may have a hundred logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

_FEW = 4
"""As many are as well read one after the other."""
_THREADS = 8


def each(items: Sequence[Item], do: Callable[[Item], Found]) -> list[Found]:
    """What `do` returns for each, in order."""
    if len(items) <= _FEW:
        return [do(item) for item in items]
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(do, items))
