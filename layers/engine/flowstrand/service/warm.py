"""Suspended coroutines kept in memory, least recently used out first, so that the next turn continues instead of replaying."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from flowstrand.log.port import LogKey

if TYPE_CHECKING:
    from flowstrand.service.strand import Strand


class WarmCache:
    """At most `capacity` strands, each in one turn's hands at a time; 0 keeps none, so that every turn is cold."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._strands: OrderedDict[LogKey, Strand] = OrderedDict()
        self._lock = Lock()

    def take(self, key: LogKey) -> Strand | None:
        """The strand, which now belongs to the caller alone; None where there is none."""
        with self._lock:
            return self._strands.pop(key, None)

    def give(self, strand: Strand) -> None:
        """Keep a suspended strand for the next turn; drops the least recently used beyond the capacity."""
        with self._lock:
            replaced = self._strands.pop(strand.key, None)
            self._strands[strand.key] = strand
            excess = [replaced] if replaced else []
            while len(self._strands) > self._capacity:
                excess.append(self._strands.popitem(last=False)[1])
        for dropped in excess:
            dropped.driver.drop()

    def forget(self, key: LogKey) -> None:
        """Drop the strand of an execution that has ended otherwise than by its own last turn."""
        strand = self.take(key)
        if strand is not None:
            strand.driver.drop()

    def clear(self) -> None:
        """Drop everything, as the end of the process would."""
        with self._lock:
            strands = list(self._strands.values())
            self._strands.clear()
        for strand in strands:
            strand.driver.drop()
