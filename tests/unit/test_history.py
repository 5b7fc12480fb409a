"""Pages of history and the long-poll: dense, complete, and honest about where they end (laws 1, 2 and 10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import Event, EventType
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import CallerError, InvalidInput, LogCorrupted, NotFound, StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service import history
from flowstrand.service.history import HistoryPage
from tests.unit.every_event import KEY, data_of
from tests.unit.reading_world import ReadingWorld, failing_task, sequences

ORG, EXECUTION = KEY.org, KEY.execution_id
TYPES = [event_type for event_type in EventType if not event_type.value.startswith("WORKFLOW_")]


def page(world: ReadingWorld, after: int = 0, limit: int = 100, *types: EventType) -> HistoryPage:
    return history.page(world.services, ORG, EXECUTION, after=after, limit=limit, types=types or None)


def wait(world: ReadingWorld, after: int, wait_s: float, *types: EventType) -> HistoryPage:
    return history.wait(world.services, ORG, EXECUTION, after=after, wait_s=wait_s, types=types or None)


@pytest.fixture
def world() -> ReadingWorld:
    return ReadingWorld()


def test_a_page_holds_the_log_in_order(world: ReadingWorld) -> None:
    failing_task(world)
    found = page(world)
    assert list(found.events) == world.events()
    assert (found.next_after, found.up_to_date, found.closed) == (7, True, True)


def test_an_open_log_is_not_closed(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    assert page(world) == HistoryPage(events=tuple(world.events()), next_after=1, up_to_date=True, closed=False)


@pytest.mark.parametrize("after", range(8))
def test_a_position_may_lie_in_the_middle_of_a_commit(world: ReadingWorld, after: int) -> None:
    failing_task(world)
    assert sequences(page(world, after).events) == list(range(after + 1, 8))


def test_a_full_page_is_not_up_to_date(world: ReadingWorld) -> None:
    failing_task(world)
    found = page(world, 1, 3)
    assert sequences(found.events) == [2, 3, 4]
    assert (found.next_after, found.up_to_date, found.closed, found.is_final) == (4, False, True, False)


@given(
    st.lists(st.lists(st.sampled_from(TYPES), min_size=1, max_size=4), max_size=8),
    st.integers(1, 5),
    st.none() | st.frozensets(st.sampled_from(TYPES[:6]), min_size=1),
)
def test_pages_of_any_size_join_into_what_the_filter_lets_through(
    commits: list[list[EventType]], limit: int, types: frozenset[EventType] | None
) -> None:
    world = ReadingWorld()
    world.write(EventType.WORKFLOW_STARTED)
    for commit in commits:
        world.write(*commit)
    read: list[Event] = []
    after = 0
    while True:
        found = history.page(world.services, ORG, EXECUTION, after=after, limit=limit, types=types)
        assert len(found.events) <= limit
        read += found.events
        if found.up_to_date:
            break
        assert found.next_after > after
        after = found.next_after
    assert read == [event for event in world.events() if types is None or event.type in types]
    assert found.next_after == world.events()[-1].sequence


def test_a_filter_says_how_far_it_has_looked(world: ReadingWorld) -> None:
    failing_task(world)
    found = page(world, 0, 100, EventType.TASK_STARTED)
    assert sequences(found.events) == [4]
    assert (found.next_after, found.up_to_date) == (7, True)


def test_a_full_filtered_page_ends_at_its_last_event(world: ReadingWorld) -> None:
    failing_task(world)
    found = page(world, 0, 1, EventType.TASK_CREATED, EventType.TASK_FAILED)
    assert (sequences(found.events), found.next_after, found.up_to_date) == ([2], 2, False)


def test_large_payloads_are_inlined(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    world.write(data_of(EventType.TASK_COMPLETED, output=world.stored("x" * 9_000)))
    [_, event] = page(world).events
    assert event.data == data_of(EventType.TASK_COMPLETED, output="x" * 9_000)


def test_a_page_ends_before_it_grows_too_large_for_a_response(world: ReadingWorld) -> None:
    large = data_of(EventType.TASK_COMPLETED, output=world.stored("x" * 1_000_000))
    world.write(EventType.WORKFLOW_STARTED, *[large] * 9)
    found = page(world)
    assert 1 < len(found.events) < 10
    assert not found.up_to_date
    assert sequences(page(world, found.next_after).events)[0] == found.events[-1].sequence + 1


@pytest.mark.parametrize("execution_id", ["01Y", "", "a#b", "x" * 3_000, "../01X"])
def test_an_unknown_execution_is_not_found(world: ReadingWorld, execution_id: str) -> None:
    failing_task(world)
    with pytest.raises(NotFound) as refused:
        history.page(world.services, ORG, ExecutionId(execution_id), after=0)
    assert refused.value.code == "EXECUTION_NOT_FOUND"


def test_another_orgs_execution_is_not_found(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED, key=LogKey(OrgId("other"), EXECUTION))
    with pytest.raises(NotFound) as refused:
        page(world)
    assert refused.value.code == "EXECUTION_NOT_FOUND"


def test_a_position_beyond_the_tail_is_refused(world: ReadingWorld) -> None:
    failing_task(world)
    assert page(world, 7).events == ()
    with pytest.raises(InvalidInput) as refused:
        page(world, 8)
    assert refused.value.code == "POSITION_BEYOND_TAIL"


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_limit_out_of_range_is_refused(world: ReadingWorld, limit: int) -> None:
    failing_task(world)
    with pytest.raises(CallerError) as refused:
        page(world, 0, limit)
    assert refused.value.status == 400


@pytest.mark.parametrize("hidden", [1, 2, 4])
def test_a_gap_is_an_error_and_never_skipped(world: ReadingWorld, hidden: int) -> None:
    failing_task(world)
    world.log.skips = hidden
    with pytest.raises(LogCorrupted):
        page(world)


def test_what_the_store_cannot_read_is_not_taken_for_an_empty_log(world: ReadingWorld) -> None:
    failing_task(world)
    world.log.fails = 1
    with pytest.raises(StoreUnavailable):
        page(world)


def test_a_long_poll_answers_at_once_when_there_is_something(world: ReadingWorld) -> None:
    failing_task(world)
    assert sequences(wait(world, 5, 20).events) == [6, 7]
    assert world.waits == []


def test_a_long_poll_answers_as_soon_as_something_comes(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    began = world.now
    world.after_ms(3_000, lambda: world.write(EventType.TASK_CREATED))
    assert sequences(wait(world, 1, 20).events) == [2]
    assert 3_000 <= world.now - began <= 3_500


def test_a_long_poll_backs_off_and_ends_in_time(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    began = world.now
    found = wait(world, 1, 20)
    assert (found.events, found.next_after, found.up_to_date) == ((), 1, True)
    assert world.now - began == 20_000
    assert world.waits[0] == 100
    assert max(world.waits) == 500
    assert world.waits[:-1] == sorted(world.waits[:-1])


def test_a_long_poll_on_an_ended_execution_does_not_wait(world: ReadingWorld) -> None:
    failing_task(world)
    assert wait(world, 7, 20).is_final
    assert world.waits == []


def test_a_long_poll_of_no_time_is_a_page(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    assert wait(world, 1, 0) == page(world, 1)
    assert world.waits == []


def test_a_filtered_long_poll_waits_for_what_the_filter_lets_through(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    world.after_ms(1_000, lambda: world.write(EventType.TASK_CREATED))
    world.after_ms(2_000, lambda: world.write(EventType.TASK_STARTED))
    found = wait(world, 1, 20, EventType.TASK_STARTED)
    assert (sequences(found.events), found.next_after) == ([3], 3)


def test_a_filtered_long_poll_that_finds_nothing_says_how_far_it_has_looked(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    world.after_ms(1_000, lambda: world.write(EventType.TASK_CREATED))
    found = wait(world, 1, 5, EventType.TASK_FAILED)
    assert (found.events, found.next_after, found.up_to_date) == ((), 2, True)


def test_a_filtered_long_poll_ends_with_the_execution(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    world.after_ms(1_000, lambda: world.write(EventType.WORKFLOW_COMPLETED))
    found = wait(world, 1, 20, EventType.TASK_FAILED)
    assert (found.events, found.next_after, found.is_final) == ((), 2, True)
