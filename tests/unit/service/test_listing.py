"""Listing executions: every one of those asked for, once, the newest first, in pages that read so much and no more."""

from __future__ import annotations

import pytest

from flowstrand.directory.port import Put
from flowstrand.engine.events import WorkflowStatus
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Unavailable
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service import executions, feed, listing, listing_rows
from flowstrand.service.listing import Filter
from flowstrand.service.projection import project
from tests.unit.service.projected import pointers
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, work

EVERYTHING = Filter()


async def waits(driver: Driver, input: JsonValue) -> JsonValue:
    done: JsonValue = await work(driver)
    return done


async def ends(driver: Driver, input: JsonValue) -> JsonValue:
    return None


async def fails(driver: Driver, input: JsonValue) -> JsonValue:
    raise ValueError("no")


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def project_all(world: ServiceWorld) -> None:
    assert (
        project(world.services, {key: commits[-1].last_sequence for key, commits in world.disk.commits.items()})
        == {}
    )


def one_of_each(world: ServiceWorld, rounds: int = 1) -> list[str]:
    """Executions of every kind, from the oldest on, a second apart."""
    made: list[str] = []
    for _ in range(rounds):
        for code in (waits, ends, fails):
            world.clock.advance(1_000)
            made.append(world.begin(code))
    project_all(world)
    return made


def ids(world: ServiceWorld, wanted: Filter = EVERYTHING, limit: int = 2) -> list[str]:
    """Everything that is listed, page by page."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = listing.page(world.services, ORG, wanted, after=after, limit=limit)
        assert len(page.executions) <= limit
        found += [listed.workflow_execution_id for listed in page.executions]
        after = page.next_after
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_all_are_listed_once_the_newest_first_whatever_the_size_of_a_page(world: ServiceWorld, limit: int) -> None:
    made = one_of_each(world, rounds=5)
    assert ids(world, limit=limit) == made[::-1]


def test_those_created_at_one_moment_are_all_listed(world: ServiceWorld) -> None:
    made = [world.start(waits) for _ in range(7)]
    project_all(world)
    assert sorted(ids(world)) == sorted(made)


def test_filters_by_status_and_kind_are_combined(world: ServiceWorld) -> None:
    made = one_of_each(world, rounds=3)
    open_ones, ended, failed = made[::3], made[1::3], made[2::3]
    assert ids(world, Filter(status=WorkflowStatus.WAITING)) == open_ones[::-1]
    assert ids(world, Filter(status=WorkflowStatus.FAILED)) == failed[::-1]
    assert ids(world, Filter(kind="ends")) == ended[::-1]
    assert ids(world, Filter(kind="ends", status=WorkflowStatus.COMPLETED)) == ended[::-1]
    assert ids(world, Filter(kind="ends", status=WorkflowStatus.FAILED)) == []
    assert ids(world, Filter(status=WorkflowStatus.RUNNING)) == []
    assert ids(world, Filter(kind="unknown")) == []


def test_bounds_of_creation_include_the_first_moment_and_not_the_last(world: ServiceWorld) -> None:
    made = one_of_each(world, rounds=2)
    rows = listing_rows.read(world.services.directory, [key_of(execution) for execution in made])
    moments = [row.listed.created_at_ms for row in rows.values() if row.listed]
    bounds = Filter(created_from_ms=moments[1], created_before_ms=moments[4])
    assert ids(world, bounds) == made[1:4][::-1]
    assert ids(world, Filter(created_from_ms=moments[-1] + 1)) == []
    assert ids(world, Filter(created_before_ms=moments[0])) == []
    assert ids(world, Filter(created_before_ms=-1)) == []
    assert ids(world, Filter(created_from_ms=-(10**14))) == made[::-1]


def test_metadata_is_compared_as_text(world: ServiceWorld) -> None:
    world.code.deployed["waits"] = waits

    def start(metadata: JsonObject | None) -> str:
        request = executions.StartRequest(kind="waits", input=None, metadata=metadata)
        return executions.start(world.services, ORG, request).workflow_execution_id

    text, number, truth = start({"customer": "7", "vip": "true"}), start({"customer": 7}), start({"vip": True})
    start(None)
    project_all(world)
    assert set(ids(world, Filter(metadata={"customer": "7"}))) == {text, number}
    assert set(ids(world, Filter(metadata={"vip": "true"}))) == {text, truth}
    assert ids(world, Filter(metadata={"customer": "7", "vip": "true"})) == [text]
    assert ids(world, Filter(metadata={"customer": "8"})) == []


def test_a_page_of_what_fits_rarely_reads_so_much_and_no_more(world: ServiceWorld) -> None:
    world.code.deployed["waits"] = waits
    rare = executions.StartRequest(kind="waits", input=None, metadata={"rare": "yes"})
    found = executions.start(world.services, ORG, rare).workflow_execution_id
    for _ in range(1_000):
        world.clock.advance(1)
        world.start(waits)
    project_all(world)
    world.seam.calls.clear()
    page = listing.page(world.services, ORG, Filter(metadata={"rare": "yes"}), limit=10)
    assert page.executions == ()
    assert page.next_after is not None
    assert len(world.seam.calls) == 4 * (4 + 1)  # four times, four groups and the rows
    assert ids(world, Filter(metadata={"rare": "yes"})) == [found]


def test_a_page_of_ended_executions_of_a_status_reads_only_those(world: ServiceWorld) -> None:
    one_of_each(world, rounds=10)
    world.seam.calls.clear()
    page = listing.page(world.services, ORG, Filter(status=WorkflowStatus.FAILED), limit=10)
    assert len(page.executions) == 10
    assert world.seam.calls == ["directory.scan", "directory.get_many"]


def test_an_execution_that_ends_while_pages_are_turned_is_listed_once(world: ServiceWorld) -> None:
    made = [world.begin(waits) for _ in range(4)]
    project_all(world)
    newest = listing.page(world.services, ORG, EVERYTHING, limit=2)
    for task in world.claim():
        world.complete(task)
    world.settle()
    project_all(world)
    assert newest.next_after is not None
    others = listing.page(world.services, ORG, EVERYTHING, after=newest.next_after, limit=2)
    listed = [*newest.executions, *others.executions]
    assert sorted(one.workflow_execution_id for one in listed) == sorted(made)


@pytest.mark.parametrize("scan", range(4))
def test_an_execution_that_ends_while_a_page_is_read_is_on_it_once(world: ServiceWorld, scan: int) -> None:
    execution = world.begin(waits)
    project_all(world)

    def end() -> None:
        [task] = world.claim()
        world.complete(task)
        world.settle()
        project_all(world)

    world.seam.before("directory.scan", *[lambda: None] * scan, end)
    assert ids(world) == [execution]


# --- removal --------------------------------------------------------------------------------------


def test_an_execution_that_is_removed_is_listed_no_more_and_a_late_record_does_not_bring_it_back(
    world: ServiceWorld,
) -> None:
    gone, kept = world.begin(ends), world.begin(ends)
    project_all(world)
    listing.remove(world.services, key_of(gone))
    listing.remove(world.services, key_of(gone))
    project_all(world)
    assert ids(world) == [kept]
    assert {execution for _, execution in pointers(world.disk)} == {kept}
    assert len(feed.read(world.services, ORG, after=0).events) == 4


def test_an_execution_that_was_never_listed_is_left_alone(world: ServiceWorld) -> None:
    execution = world.begin(ends)
    listing.remove(world.services, key_of(execution))
    project_all(world)
    assert ids(world) == [execution]


def test_removing_meets_a_projector_and_goes_on(world: ServiceWorld) -> None:
    execution = world.start(ends)
    project_all(world)
    world.settle()
    world.seam.before("directory.write_together", lambda: project_all(world))
    listing.remove(world.services, key_of(execution))
    assert ids(world) == []
    assert pointers(world.disk) == set()


def test_removing_what_others_change_all_the_time_is_given_up(world: ServiceWorld) -> None:
    execution = world.begin(ends)
    project_all(world)
    row = next(name for name in world.disk.items if name.startswith("@execution"))

    def change() -> None:
        text, version = world.disk.items[row]["row"]
        world.disk.items[row]["row"] = (text, version + 1)

    world.seam.before("directory.write_together", *[change] * 8)
    with pytest.raises(Unavailable):
        listing.remove(world.services, key_of(execution))


def test_a_pointer_that_leads_nowhere_is_passed_over(world: ServiceWorld) -> None:
    execution = world.begin(ends)
    project_all(world)
    pointer = f"{listing_rows.position(1)}#nobody"
    partition = listing_rows.pointers_of(ORG, listing_rows.Group.OPEN, None)
    world.services.directory.write_together([Put(partition=partition, key=pointer, data={})])
    assert ids(world) == [execution]
