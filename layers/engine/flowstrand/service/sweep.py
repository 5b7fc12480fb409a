"""The sweep (law 8): wakes every open execution and has every schedule looked at, at start-up and periodically.

A wake from sequence 1 dispatches every effect that is still open, so this is also how in-process queues and timers are
rebuilt from the log when a process starts.
"""

from __future__ import annotations

from flowstrand.observability import meter, metrics
from flowstrand.queues.messages import ScheduleDue, Wake
from flowstrand.service import open_executions, schedule_index
from flowstrand.service.container import Services

_BATCH = 100
ABANDONED_MS = 3_600_000
"""A row whose execution never got its first commit is removed after this long."""


def run(services: Services) -> int:
    """Wake every open execution, and look at every schedule; returns how many executions."""
    _look_at_schedules(services)
    batch: list[Wake] = []
    count = 0
    for key, since_ms in open_executions.every(services.directory):
        if _is_abandoned(services, since_ms) and services.log.tail(key) is None:
            open_executions.remove(services.directory, key)
            continue
        batch.append(Wake(org=key.org, execution_id=key.execution_id, sequence=1))
        count += 1
        if len(batch) == _BATCH:
            services.control.send(batch)
            batch = []
    if batch:
        services.control.send(batch)
    meter.count(metrics.SWEPT_EXECUTIONS, count)
    return count


def _look_at_schedules(services: Services) -> None:
    batch: list[ScheduleDue] = []
    for due in schedule_index.every(services.directory):
        batch.append(due)
        if len(batch) == _BATCH:
            services.control.send(batch)
            batch = []
    if batch:
        services.control.send(batch)


def _is_abandoned(services: Services, since_ms: int) -> bool:
    return services.clock.now_ms() - since_ms > ABANDONED_MS
