"""Counting within one invocation: use cases say what happened, and whoever runs them reports it once, at the end.

    with measuring() as measured:
        ...                             # somewhere below: meter.count(metrics.TURNS_COLD)
    report(measured.taken())

Where nobody measures (tests, tools), counting does nothing. Values are numbers; whose they were is nobody's dimension.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from flowstrand.observability.metrics import Metric

_current: ContextVar[Measured | None] = ContextVar("flowstrand_measured", default=None)


class Measured:
    """What was counted and measured in one invocation; from any of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Metric, float] = {}
        self._values: dict[Metric, list[float]] = {}

    def count(self, metric: Metric, number: float) -> None:
        """Add to a metric's one value."""
        with self._lock:
            self._counts[metric] = self._counts.get(metric, 0) + number

    def record(self, metric: Metric, value: float) -> None:
        """Another value of a metric whose spread is of interest."""
        with self._lock:
            self._values.setdefault(metric, []).append(value)

    def taken(self) -> Mapping[Metric, list[float]]:
        """All of it, which is then forgotten here."""
        with self._lock:
            found = {**self._values, **{metric: [number] for metric, number in self._counts.items() if number}}
            self._counts, self._values = {}, {}
        return found


@contextmanager
def measuring(measured: Measured | None = None) -> Iterator[Measured]:
    """Within the block, what happens is counted here: in a new one, or in the one that is given."""
    here = Measured() if measured is None else measured
    token = _current.set(here)
    try:
        yield here
    finally:
        _current.reset(token)


def count(metric: Metric, number: float = 1) -> None:
    """It happened, so often."""
    here = _current.get()
    if here is not None:
        here.count(metric, number)


def record(metric: Metric, value: float) -> None:
    """It took, or was, so much."""
    here = _current.get()
    if here is not None:
        here.record(metric, value)
