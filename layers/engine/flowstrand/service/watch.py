"""The watch: some of the open executions, looked at after each sweep for whether they stall. An alarm hangs on what it counts.

It takes up where the last one left off, so that in time every open execution is looked at, however many there are; and it costs
no more than so many reads (law 11): the tail of each log, and of those that nothing has happened in for a while what a handler
reads.

    @watch    place    {"behind": "{org}#{execution}"}: whoever was looked at last
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice

from flowstrand.dataclass import dataclass
from flowstrand.log.port import LogKey
from flowstrand.observability import meter, metrics
from flowstrand.service import open_executions
from flowstrand.service.container import Services
from flowstrand.service.open_executions import OpenExecution
from flowstrand.service.stalls import Patience, Stall, stalls_of

_log = logging.getLogger("flowstrand.watch")

MOST = 500
"""Open executions that one watch looks at."""
_LONGEST_MS = 10_000
"""When it ends though it is not done."""
_TOLD = 20
"""Stalled executions that are named in the log."""
_ROW = ("@watch", "place")
_HARMLESS = frozenset({"TASK_WAITING", "ROW_ABANDONED"})
"""Workers are their owner's, and abandoned rows the sweep's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a watch has seen.

    Attributes:
        looked_at: how many open executions.
        stalled: how many of them stall.
    """

    looked_at: int
    stalled: int


def run(services: Services, patience: Patience | None = None, *, most: int = MOST) -> Watched:
    """Look at `most` open executions, from where the last watch ended.

    Raises:
        StoreUnavailable: the directory or a log cannot be read now.
    """
    patience = Patience() if patience is None else patience
    until_ms = services.clock.now_ms() + _LONGEST_MS
    looked_at, stalled = 0, 0
    last: LogKey | None = None
    for row in islice(_rows(services), most):
        stalls = _stalls_of(services, row, patience)
        looked_at, stalled, last = looked_at + 1, stalled + bool(stalls), row.key
        if stalls and stalled <= _TOLD:
            _log.error("%s stalls: %s", row.key, "; ".join(f"{stall.message} ({stall.code})" for stall in stalls))
        if services.clock.now_ms() > until_ms:
            break
    if last is not None:
        services.directory.put(*_ROW, {"behind": str(last)})
    meter.count(metrics.STALLED_EXECUTIONS, stalled)
    return Watched(looked_at=looked_at, stalled=stalled)


def _rows(services: Services) -> Iterator[OpenExecution]:
    item = services.directory.get(*_ROW)
    behind = None if item is None else item.data.get("behind")
    if not isinstance(behind, str):
        return open_executions.rows(services.directory)
    return open_executions.rows_behind(services.directory, LogKey.parse(behind))


def _stalls_of(services: Services, row: OpenExecution, patience: Patience) -> list[Stall]:
    """What keeps an execution from its progress; nothing of one that has made some lately."""
    tail = services.log.tail(row.key)
    if tail is not None and services.clock.now_ms() - tail.written_at_ms <= patience.stalled_ms:
        return []
    return [stall for stall in stalls_of(services, row, patience) if stall.code not in _HARMLESS]
