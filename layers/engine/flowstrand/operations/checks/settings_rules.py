"""Numbers that each may be set and that do not go together."""

from __future__ import annotations

from collections.abc import Iterator

from flowstrand.log.retention import DAY_MS
from flowstrand.service.settings import Settings


def faults(settings: Settings) -> Iterator[str]:
    """What is wrong with the numbers, a sentence each."""
    if settings.heartbeat_ms * 2 > settings.lease_ms:
        yield (
            f"a lease of {settings.lease_ms} ms ends before a second heartbeat, each {settings.heartbeat_ms} ms: one that is "
            "late costs an attempt"
        )
    if settings.retention_days and settings.feed_ms > settings.retention_days * DAY_MS:
        yield f"feeds are kept for {settings.feed_ms} ms, longer than the logs that they refer to ({settings.retention_days} days)"
    if settings.turn_lease_ms > settings.wake_visibility_ms:
        yield "a turn's lease is longer than a wake is hidden: wakes come again while their turn is running"
    if settings.safety_wake_ms > settings.sweep_interval_ms:
        yield "the safety wake comes later than the sweep, and is of no use"
    if not settings.sweep_interval_ms:
        yield "there is no sweep: what is lost stays lost"
    if settings.inline_payload_bytes > settings.max_commit_bytes:
        yield "values may be inline that are larger than a commit may be"
