"""How deep values may be nested: what is taken must be shown again, in answers that add levels of their own.

Pydantic writes 255 levels and no more, whatever it is that is written.
"""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 190
"""Levels of a value."""
MAX_BODY_DEPTH = 200
"""Levels of the body that brings it."""


def is_deeper(value: Any, levels: int) -> bool:
    """Whether JSON has more than so many levels of arrays and objects, one within the other."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        inner = (part for outer in level for part in (outer.values() if isinstance(outer, dict) else outer))
        level = [part for part in inner if isinstance(part, dict | list)]
    return bool(level)


def may_be_deeper(text: str | bytes, levels: int) -> bool:
    """Whether the text of JSON has brackets enough for that: nearly no value has."""
    opening: tuple[Any, Any] = ("[", "{") if isinstance(text, str) else (b"[", b"{")
    return sum(map(text.count, opening)) > levels
