"""Filters by type: exact names, public names and families, and nothing that would never let an event through."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import EventType, Family, data_class_of
from flowstrand.views.public_name import public_name
from flowstrand.views.type_patterns import TYPE_PATTERNS, types_of


def test_every_type_has_its_name_its_public_name_and_its_family() -> None:
    for type in EventType:
        family = data_class_of(type).FAMILY
        having = {pattern for pattern, types in TYPE_PATTERNS.items() if type in types}
        assert having == {type.value, public_name(type), f"{family.value}.*"}


def test_families_share_nothing_and_leave_nothing_out() -> None:
    families = [TYPE_PATTERNS[f"{family.value}.*"] for family in Family]
    assert sum(map(len, families)) == len(EventType)
    assert frozenset().union(*families) == frozenset(EventType)


def test_patterns_add_up() -> None:
    found = types_of(["workflow.failed", "TASK_FAILED", "timer.*"])
    assert found == frozenset(
        {
            EventType.WORKFLOW_FAILED,
            EventType.TASK_FAILED,
            EventType.TIMER_STARTED,
            EventType.TIMER_FIRED,
            EventType.TIMER_CANCELLED,
        }
    )


def test_without_a_pattern_nothing_is_dropped() -> None:
    assert types_of([]) is None


@pytest.mark.parametrize(
    "pattern", ["", "*", "task", "task.", "task*", "*.failed", "TASK_*", "Task.Failed", "task.**"]
)
def test_what_is_no_pattern_is_none(pattern: str) -> None:
    with pytest.raises(KeyError):
        types_of([pattern])
