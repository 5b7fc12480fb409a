"""Patterns of event types, as filters of streams hold them: `TASK_FAILED`, `task.failed`, and `task.*` for a whole family.

The set is closed: whatever is not in it would never let an event through, and is refused where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from flowstrand.engine.events import EventType, Family, data_class_of
from flowstrand.views.public_name import public_name


def _patterns() -> dict[str, frozenset[EventType]]:
    exact = {type.value: frozenset({type}) for type in EventType}
    public = {public_name(type): frozenset({type}) for type in EventType}
    families = {
        f"{family.value}.*": frozenset(type for type in EventType if data_class_of(type).FAMILY is family)
        for family in Family
    }
    return {**exact, **public, **families}


TYPE_PATTERNS: Mapping[str, frozenset[EventType]] = MappingProxyType(_patterns())
"""Every pattern, and the types that it stands for."""


def types_of(patterns: Iterable[str]) -> frozenset[EventType] | None:
    """The types that some of `patterns` stands for; None for all, where there is no pattern.

    Raises:
        KeyError: there is no such pattern.
    """
    return frozenset().union(*(TYPE_PATTERNS[pattern] for pattern in patterns)) or None
