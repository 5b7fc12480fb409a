"""What may be asked of a route that lists: `?after=&limit=`."""

from __future__ import annotations

from collections.abc import Mapping

from flowstrand.errors import InvalidInput

MAX_LIMIT = 50
"""How many a page may have, which is also how many it has unless fewer are asked for."""


def limit_of(parameters: Mapping[str, str] | None) -> int:
    """How many at most.

    Raises:
        InvalidInput: that is not a number, or out of range.
    """
    text = (parameters or {}).get("limit")
    if not text:
        return MAX_LIMIT
    if text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    fault = f"must be a whole number from 1 to {MAX_LIMIT}"
    raise InvalidInput(f"limit {fault}", details=[{"pointer": "/limit", "message": fault}])
