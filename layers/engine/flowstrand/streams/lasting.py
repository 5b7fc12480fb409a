"""How long live responses may last where something else ends them."""

from __future__ import annotations

from dataclasses import replace

from flowstrand.service.container import Services

MARGIN_MS = 2_000
"""What a response needs, at the end of its time, to be ended by itself: a look at the store and its last words."""


def lasting(services: Services, remaining_ms: int) -> Services:
    """`services` whose live responses end by themselves before `remaining_ms` have passed."""
    longest_ms = max(0, remaining_ms - MARGIN_MS)
    if services.settings.stream_ms <= longest_ms:
        return services
    return replace(services, settings=replace(services.settings, stream_ms=longest_ms))
