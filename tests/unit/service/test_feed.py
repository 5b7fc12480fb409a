"""The feed of an org: read from any place, in pages of any size, for as long as it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowstrand.engine.events import EventType, WorkflowStarted
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Gone, InvalidInput, LogCorrupted
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.service import feed
from flowstrand.service.feed import FeedEvent
from flowstrand.service.projection import project
from tests.unit.service.projected import whole_feed
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, work

DAY_MS = 86_400_000


async def order(driver: Driver, input: JsonValue) -> JsonValue:
    done: JsonValue = await work(driver)
    return done


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def project_all(world: ServiceWorld) -> None:
    assert (
        project(world.services, {key: commits[-1].last_sequence for key, commits in world.disk.commits.items()})
        == {}
    )


def orders(world: ServiceWorld, count: int, input: JsonValue = None) -> list[str]:
    """So many executions, each projected by itself: three events each."""
    started: list[str] = []
    for _ in range(count):
        started.append(world.begin(order, input))
        project_all(world)
    return started


def sequences(events: tuple[FeedEvent, ...]) -> list[int]:
    return [event.sequence for event in events]


def test_an_org_without_events_has_an_empty_feed(world: ServiceWorld) -> None:
    page = feed.read(world.services, ORG, after=0)
    assert (page.events, page.next_after, page.up_to_date) == ((), 0, True)
    assert feed.end(world.services, ORG) == 0


@pytest.mark.parametrize("after", range(13))
@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_it_is_read_from_any_place_in_pages_of_any_size(world: ServiceWorld, after: int, limit: int) -> None:
    orders(world, 4)
    page = feed.read(world.services, ORG, after=after, limit=limit)
    last = min(after + limit, 12)
    assert sequences(page.events) == list(range(after + 1, last + 1))
    assert (page.next_after, page.up_to_date) == (last, last == 12)


def test_an_event_is_the_logs_own_with_its_payload(world: ServiceWorld) -> None:
    large = "x" * 20_000  # more than a log keeps inline
    [execution] = orders(world, 1, large)
    found = [event.event for event in whole_feed(world.services)]
    started, *others = found
    assert isinstance(started.data, WorkflowStarted)
    assert started.data.input == large
    assert others == world.events(execution)[1:]


def test_the_feed_holds_references_and_no_payload(world: ServiceWorld) -> None:
    orders(world, 3, "a secret")
    stored = json.dumps([items for name, items in world.disk.items.items() if name.startswith("@feed")])
    assert "TASK_CREATED" in stored
    assert "a secret" not in stored


def test_a_filter_by_type_goes_on_over_what_it_drops(world: ServiceWorld) -> None:
    started = orders(world, 5)
    page = feed.read(world.services, ORG, after=0, limit=2, types={EventType.WORKFLOW_SUSPENDED})
    assert [(event.key.execution_id, event.event.type) for event in page.events] == [
        (execution, EventType.WORKFLOW_SUSPENDED) for execution in started[:2]
    ]
    rest = feed.read(world.services, ORG, after=page.next_after, types={EventType.WORKFLOW_SUSPENDED})
    assert [event.key.execution_id for event in rest.events] == started[2:]
    assert rest.up_to_date
    assert rest.next_after == 15


def test_a_filter_that_drops_everything_reads_no_log(world: ServiceWorld) -> None:
    orders(world, 3)
    world.seam.calls.clear()
    page = feed.read(world.services, ORG, after=0, types={EventType.TIMER_FIRED})
    assert (page.events, page.next_after, page.up_to_date) == ((), 9, True)
    assert not [name for name in world.seam.calls if name.startswith("log.")]


def test_consecutive_events_of_a_log_are_read_at_once(world: ServiceWorld) -> None:
    orders(world, 1)
    world.seam.calls.clear()
    feed.read(world.services, ORG, after=0)
    assert world.seam.calls.count("log.following") == 1


def test_a_place_beyond_the_end_and_a_senseless_limit_are_refused(world: ServiceWorld) -> None:
    orders(world, 1)
    with pytest.raises(InvalidInput) as beyond:
        feed.read(world.services, ORG, after=4)
    assert beyond.value.code == "POSITION_BEYOND_TAIL"
    for limit in (0, 1_001):
        with pytest.raises(InvalidInput):
            feed.read(world.services, ORG, after=0, limit=limit)


# --- how long it is kept --------------------------------------------------------------------------


def test_what_is_older_than_it_is_kept_is_gone_and_the_beginning_is_the_oldest_that_is_left(
    world: ServiceWorld,
) -> None:
    orders(world, 2)
    world.clock.advance(7 * DAY_MS)
    orders(world, 1)
    world.clock.advance(1)
    with pytest.raises(Gone) as gone:
        feed.read(world.services, ORG, after=2)
    assert gone.value.code == "FEED_EXPIRED"
    assert sequences(feed.read(world.services, ORG, after=6).events) == [7, 8, 9]
    assert sequences(feed.read(world.services, ORG, after=0).events) == [7, 8, 9]


@pytest.mark.parametrize("after", [1, 3])
def test_the_same_holds_once_the_store_has_removed_it(world: ServiceWorld, after: int) -> None:
    orders(world, 3)
    batches = world.disk.items[f"@feed#{ORG}"]
    for key in sorted(batches)[:2]:
        del batches[key]
    with pytest.raises(Gone):
        feed.read(world.services, ORG, after=after)
    assert sequences(feed.read(world.services, ORG, after=0).events) == [7, 8, 9]


def test_a_feed_of_which_nothing_is_left_goes_on_where_it_was(world: ServiceWorld) -> None:
    orders(world, 2)
    world.disk.items[f"@feed#{ORG}"].clear()
    page = feed.read(world.services, ORG, after=0)
    assert (page.events, page.next_after, page.up_to_date) == ((), 6, True)
    with pytest.raises(Gone):
        feed.read(world.services, ORG, after=5)
    orders(world, 1)
    assert sequences(feed.read(world.services, ORG, after=6).events) == [7, 8, 9]


def test_a_gap_in_the_middle_is_damage(world: ServiceWorld) -> None:
    orders(world, 3)
    batches = world.disk.items[f"@feed#{ORG}"]
    del batches[sorted(batches)[1]]
    with pytest.raises(LogCorrupted):
        feed.read(world.services, ORG, after=0)


@pytest.mark.parametrize(
    "damage",
    [{"runs": [{"id": "x"}]}, {"first": "1"}, {"runs": [7]}, {"runs": [{"id": "x", "first": 1, "types": ["?"]}]}],
)
def test_a_batch_that_cannot_be_read_is_damage(world: ServiceWorld, damage: dict[str, Any]) -> None:
    orders(world, 1)
    batches = world.disk.items[f"@feed#{ORG}"]
    [(key, (text, version))] = batches.items()
    batches[key] = (json.dumps(json.loads(text) | damage), version)
    with pytest.raises(LogCorrupted):
        feed.read(world.services, ORG, after=0)


def test_events_of_a_log_that_has_expired_are_left_out(world: ServiceWorld) -> None:
    expired, kept = orders(world, 2)
    for task in world.claim():
        world.complete(task)
    world.settle()
    project_all(world)
    commits = world.disk.commits[key_of(expired)]
    commits[1:-1] = []  # the janitor keeps the first and the last the longest
    found = whole_feed(world.services)
    assert [event.event.sequence for event in found if event.key == key_of(kept)] == list(range(1, 8))
    assert {event.event.type for event in found if event.key == key_of(expired)} <= {
        event.type for commit in commits for event in unpack_events(commit)
    }
    del world.disk.commits[key_of(expired)]
    assert {event.key for event in whole_feed(world.services)} == {key_of(kept)}


def test_a_gap_in_a_log_that_is_open_is_damage(world: ServiceWorld) -> None:
    [execution] = orders(world, 1)
    world.claim()
    project_all(world)
    del world.disk.commits[key_of(execution)][1]
    with pytest.raises(LogCorrupted):
        feed.read(world.services, ORG, after=0)
