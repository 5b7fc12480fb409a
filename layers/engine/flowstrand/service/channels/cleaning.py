"""What the janitor does with the log of a channel: lets all of it go once no channel has it, and ends channels whose time has run out."""

from __future__ import annotations

from flowstrand.log.port import LogKey
from flowstrand.service.channels import rows, standing
from flowstrand.service.channels.abandoned import GRACE_MS
from flowstrand.service.channels.state import state_at
from flowstrand.service.container import Services


def kept_until_ms(services: Services, key: LogKey) -> int | None:
    """When to look again at a log; None where it may go now. A channel whose time has run out is removed.

    A log is left alone for a while after its channel's time, and after what was written to it last: whoever is still reading or
    writing has ended by then.

    Raises:
        PreconditionFailed: the channel is being removed by somebody else; look again.
    """
    now_ms = services.clock.now_ms()
    tail = services.log.tail(key)
    if tail is None or tail.expires_at_ms is not None:
        return None
    channel = rows.find(services.directory, key.org, state_at(tail).name)
    if channel is None or channel.log != key.execution_id:
        return _later(tail.written_at_ms + GRACE_MS, now_ms)
    lapses_at_ms = standing.lapses(services, channel, tail)
    if lapses_at_ms is None:
        return _NEVER_MS
    later_ms = _later(lapses_at_ms + GRACE_MS, now_ms)
    if later_ms is None:
        rows.remove(services.directory, channel)
    return later_ms


def is_forgettable(until_ms: int) -> bool:
    """Whether the janitor need not look again: if the channel is removed, it will be told."""
    return until_ms == _NEVER_MS


_NEVER_MS = 10**15 - 1


def _later(at_ms: int, now_ms: int) -> int | None:
    return at_ms if at_ms > now_ms else None
