"""The cursor of live answers: it changes as time goes by, so that no cache between here and a client gives the same answer for ever."""

from __future__ import annotations

from collections.abc import Callable

_INTERVAL_MS = 20_000
_EPOCH_MS = 1_728_432_000_000
"""9 October 2024, from which the protocol counts."""
_JITTER = 180
"""An hour of intervals: how far ahead a cursor is set that was too soon to change by itself."""


def next_cursor(given: int | None, now_ms: int, random_bytes: Callable[[int], bytes]) -> int:
    """The number of the present interval, but always greater than the cursor that the client has."""
    present = (now_ms - _EPOCH_MS) // _INTERVAL_MS
    if given is None or given < present:
        return present
    return given + 1 + int.from_bytes(random_bytes(2), "big") % _JITTER
