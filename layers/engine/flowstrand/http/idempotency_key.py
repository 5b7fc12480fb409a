"""Idempotency keys and how long they last, as requests write them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from flowstrand.engine.names import LABEL_PATTERN
from flowstrand.service.idempotency import MAX_TTL_MS, MIN_TTL_MS

MAX_KEY = 200
"""Characters of a key; in UTF-8, and with its org, they fit into the key of a directory row."""

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_TTL = re.compile(r"^([0-9]{1,8})([smhd])$")


def ttl_to_ms(text: str) -> int:
    """`30s`, `5m`, `2h` or `7d` in milliseconds.

    Raises:
        ValueError: it is written otherwise, or is not from a second to thirty days.
    """
    found = _TTL.fullmatch(text)
    if found is None:
        raise ValueError("a duration is a whole number and one of s, m, h and d")
    ttl_ms = int(found[1]) * _UNITS_MS[found[2]]
    if not MIN_TTL_MS <= ttl_ms <= MAX_TTL_MS:
        raise ValueError("a key lasts from 1s to 30d")
    return ttl_ms


def _is_ttl(text: str) -> str:
    ttl_to_ms(text)
    return text


IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY, pattern=LABEL_PATTERN)]
IdempotencyKeyTtl = Annotated[
    str,
    StringConstraints(pattern=_TTL.pattern),
    AfterValidator(_is_ttl),
    Field(description="From `1s` to `30d`: a whole number and one of s, m, h and d."),
]
