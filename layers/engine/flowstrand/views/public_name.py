"""The dotted public names of events: `task.failed`, `child.completed`, `promise.timed_out`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flowstrand.engine.events import EventType, Family, data_class_of

_PREFIXES: Mapping[Family, str] = MappingProxyType({Family.CHILD: "CHILD_WORKFLOW_", Family.CONTROL: ""})
"""What a type's name begins with, where that is not its family's own word."""


def public_name(event_type: EventType) -> str:
    """The family, a dot, and what happened, all in lower case."""
    family = data_class_of(event_type).FAMILY
    prefix = _PREFIXES.get(family, f"{family.value.upper()}_")
    return f"{family.value}.{event_type.value.removeprefix(prefix).lower()}"
