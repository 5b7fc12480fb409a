"""The retry policy: when the next attempt may start."""

from __future__ import annotations

import hashlib

from flowstrand.engine.events import RetryPolicy

_DRAWS = 1 << 32


def retry_delay_ms(policy: RetryPolicy, *, attempt: int, seed: str) -> int:
    """Milliseconds between the failure of `attempt` (from 1) and the next.

    Exponential backoff, saturating at `max_ms`, of which the share `jitter` is drawn at random. The draw is a hash of
    `seed` and the attempt, so that deciding again decides the same.
    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (equal jitter, with a settable share).
    """
    try:
        delay = policy.initial_ms * policy.multiplier ** (attempt - 1)
    except OverflowError:
        delay = float(policy.max_ms) if policy.initial_ms else 0.0
    delay = min(delay, float(policy.max_ms))
    digest = hashlib.blake2b(f"{seed}/{attempt}".encode(), digest_size=4).digest()
    draw = int.from_bytes(digest, "big") / _DRAWS
    return round(delay * (1 - policy.jitter * draw))


def has_attempt_left(policy: RetryPolicy, *, attempt: int) -> bool:
    """Whether another attempt may follow `attempt` (from 1)."""
    return attempt <= policy.max_retries
