"""JSON in which nothing can mean two things: what one reader takes for the claim, another must not overlook."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeAlias

from flowstrand.jsonvalue import JsonObject

_Pairs: TypeAlias = list[tuple[str, Any]]


def strict_object(text: bytes) -> JsonObject:
    """The object that `text` is, as UTF-8.

    Raises:
        ValueError: it is none; or a name stands twice in an object; or there is NaN or an infinity.
    """
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refused)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    return value


def _unique(pairs: _Pairs) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
