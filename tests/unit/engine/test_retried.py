"""What a retry keeps of a log, in cases that only concurrency brings about."""

from __future__ import annotations

from typing import Any, TypeAlias

from flowstrand.engine.events import Event, EventType
from flowstrand.engine.events.vocabulary import TaskStatus
from flowstrand.engine.retried.keeping import keep
from tests.unit.every_event import event_of

Fact: TypeAlias = tuple[EventType, dict[str, Any]]


def log(*events: Fact) -> list[Event]:
    """A log of these events, with other fields where they are given."""
    return [event_of(type, sequence, **fields) for sequence, (type, fields) in enumerate(events, start=1)]


STARTED: Fact = (EventType.WORKFLOW_STARTED, {})
FAILED: Fact = (EventType.WORKFLOW_FAILED, {})
TASK = (EventType.TASK_CREATED, {"position": 1})
CLAIMED = (EventType.TASK_STARTED, {"position": 1, "attempt": 1})
DONE = (EventType.TASK_COMPLETED, {"position": 1, "attempt": 1, "status": TaskStatus.COMPLETED})


def failing(index: int) -> Fact:
    return EventType.OPERATION_FAILED, {"index": index}


def test_work_that_was_asked_for_because_of_a_failure_is_left_out_though_it_completed() -> None:
    kept = keep(log(STARTED, failing(1), TASK, CLAIMED, DONE, failing(2), FAILED))
    assert kept.sequences == frozenset()
    assert kept.again == frozenset()


def test_work_that_was_asked_for_before_a_failure_is_kept_where_it_completed_after_that() -> None:
    kept = keep(log(STARTED, TASK, failing(1), CLAIMED, DONE, FAILED))
    assert kept.sequences == frozenset({2, 4, 5})


def test_work_that_the_failing_turn_asked_for_and_got_nothing_of_is_left_to_the_code_of_today() -> None:
    kept = keep(log(STARTED, TASK, CLAIMED, failing(1), FAILED))
    assert kept.sequences == frozenset()


def test_a_result_is_kept_whose_function_was_called_before_the_failure() -> None:
    completed = EventType.OPERATION_COMPLETED
    before, after = (completed, {"index": 3, "issued_at": 1}), (completed, {"index": 4, "issued_at": 2})
    kept = keep(
        log(STARTED, failing(2), (completed, {"index": 1}), before, after, (completed, {"index": 5}), FAILED)
    )
    assert kept.sequences == frozenset({3, 4})
