"""Logs of channels that may have no channel any more: rows for the janitor, among those of executions that have ended."""

from __future__ import annotations

from flowstrand.log.port import LogKey
from flowstrand.service import closed_executions
from flowstrand.service.channels import rows
from flowstrand.service.channels.state import state_at
from flowstrand.service.closed_executions import Closed
from flowstrand.service.container import Services

GRACE_MS = 3_600_000
"""How long a log is left alone once it has no channel: by then whoever was still writing to it has ended."""


def remember(services: Services, key: LogKey) -> None:
    """Have the janitor look at a log that has no channel yet, or is about to have none."""
    closed_executions.add(services.directory, row_of(services, key))


def row_of(services: Services, key: LogKey) -> Closed:
    """The row that `remember` writes."""
    return Closed(key=key, due_ms=services.clock.now_ms() + GRACE_MS)


def is_abandoned(services: Services, key: LogKey) -> bool:
    """Whether no channel has this log."""
    tail = services.log.tail(key)
    if tail is None:
        return True
    channel = rows.find(services.directory, key.org, state_at(tail).name)
    return channel is None or channel.log != key.execution_id
