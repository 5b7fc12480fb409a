"""Projecting logs: into the feed once and in order, into the listing as they stand, whoever is told what and how often."""

from __future__ import annotations

import pytest

from flowstrand.engine.chunk import Chunk, ChunkType
from flowstrand.engine.events import SuspendType, WorkflowStatus
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import LogCorrupted, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import chunks, listing_rows, mending, open_executions
from flowstrand.service.listing_rows import Listed
from flowstrand.service.projection import project
from flowstrand.service.waking import wake
from tests.unit.service.projected import pointers, require_exactly_once, require_listed, whole_feed
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, key_of, kill, unavailable, work

AWAY = 12
"""Failures of the store in a row after which projecting gives up."""


async def order(driver: Driver, input: JsonValue) -> JsonValue:
    done: JsonValue = await work(driver)
    return done


async def nothing_to_do(driver: Driver, input: JsonValue) -> JsonValue:
    return None


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def tell(world: ServiceWorld, *executions_: str) -> None:
    """A commit of each of these rings the bell; each can be projected."""
    ends = {key_of(execution): world.commits(execution)[-1].last_sequence for execution in executions_}
    assert project(world.services, ends) == {}


def listed(world: ServiceWorld, execution: str) -> Listed:
    row = listing_rows.read(world.services.directory, [key_of(execution)])[key_of(execution)]
    assert row.listed is not None
    return row.listed


def test_a_log_is_projected_from_where_it_was_projected_to(world: ServiceWorld) -> None:
    execution = world.start(order)
    tell(world, execution)
    assert listed(world, execution).status is WorkflowStatus.PENDING
    world.settle()
    tell(world, execution)
    shown = listed(world, execution)
    assert (shown.status, shown.suspend_type) == (WorkflowStatus.WAITING, SuspendType.TASK)
    [task] = world.claim()
    world.complete(task)
    world.settle()
    tell(world, execution)
    require_exactly_once(world.services, world.disk)
    require_listed(world.services, world.disk)
    assert listed(world, execution).closed_at_ms is not None


def test_many_logs_are_projected_together(world: ServiceWorld) -> None:
    started = [world.begin(order) for _ in range(40)]
    world.seam.calls.clear()
    tell(world, *started)
    assert world.seam.calls.count("directory.write_together") == 3
    require_exactly_once(world.services, world.disk)
    require_listed(world.services, world.disk)


def test_telling_again_reads_one_row_and_writes_nothing(world: ServiceWorld) -> None:
    execution = world.begin(order)
    tell(world, execution)
    world.seam.calls.clear()
    tell(world, execution)
    assert world.seam.calls == ["directory.get_many"]


def test_an_old_commit_brings_what_is_new_and_the_newest_then_brings_nothing(world: ServiceWorld) -> None:
    execution = world.begin(order)
    assert project(world.services, {key_of(execution): 1}) == {}
    require_exactly_once(world.services, world.disk)
    count = len(whole_feed(world.services))
    tell(world, execution)
    assert len(whole_feed(world.services)) == count


def test_stream_chunks_are_in_no_feed_and_the_listing_goes_on_behind_them(world: ServiceWorld) -> None:
    execution = world.begin(order)
    [task] = world.claim()
    for _ in range(3):
        chunks.append_chunks(
            world.services,
            ORG,
            task.task_execution_id,
            lease_token=task.lease_token,
            chunks=[Chunk(type=ChunkType.TOKEN, payload="a")],
            request_id=None,
        )
    tell(world, execution)
    world.complete(task)
    world.settle()
    tell(world, execution)
    require_exactly_once(world.services, world.disk)
    assert all(not event.event.type.startswith("STREAM_") for event in whole_feed(world.services))


def test_of_a_log_that_is_gone_there_is_nothing_to_project(world: ServiceWorld) -> None:
    execution = world.begin(order)
    del world.disk.commits[key_of(execution)]
    world.restart()
    assert project(world.services, {key_of(execution): 3}) == {}
    assert whole_feed(world.services) == []


def test_a_projector_that_has_seen_a_log_before_reads_only_what_is_new(world: ServiceWorld) -> None:
    execution = world.begin(order)
    projector = world.boot()
    assert project(projector, {key_of(execution): 3}) == {}
    world.claim()
    world.seam.calls.clear()
    world.seam.rows_read = 0
    assert project(projector, {key_of(execution): 4}) == {}
    assert world.seam.rows_read == 1
    require_listed(world.services, world.disk)


def test_a_long_log_is_projected_in_parts(world: ServiceWorld) -> None:
    async def many(driver: Driver, input: JsonValue) -> JsonValue:
        for _ in range(150):
            await driver.start_timer(driver.now_ms + 1)
        return None

    execution = world.begin(many)
    while not world.types(execution).endswith("WORKFLOW_COMPLETED"):
        world.jump(1)
    world.seam.calls.clear()
    tell(world, execution)
    assert world.seam.calls.count("directory.write_together") == 4
    require_exactly_once(world.services, world.disk)
    require_listed(world.services, world.disk)


def test_one_log_that_cannot_be_read_holds_up_no_other(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = world.begin(order), world.begin(order)
    last = world.disk.commits[key_of(broken)][-1]
    world.restart()
    object.__setattr__(last, "events", b"damaged")
    failures = project(world.services, {key_of(broken): 3, key_of(sound): 3})
    assert list(failures) == [key_of(broken)]
    assert isinstance(failures[key_of(broken)], LogCorrupted)
    assert {event.key for event in whole_feed(world.services)} == {key_of(sound)}


def test_a_store_that_fails_for_a_while_is_waited_for(world: ServiceWorld) -> None:
    execution = world.begin(order)
    world.seam.before("directory.write_together", *[unavailable] * (AWAY - 1))
    tell(world, execution)
    require_exactly_once(world.services, world.disk)


def test_a_store_that_keeps_failing_is_reported_for_every_log(world: ServiceWorld) -> None:
    first, second = world.begin(order), world.begin(order)
    world.seam.before("directory.write_together", *[unavailable] * AWAY)
    failures = project(world.services, {key_of(first): 3, key_of(second): 3})
    assert {type(error) for error in failures.values()} == {StoreUnavailable}
    assert failures.keys() == {key_of(first), key_of(second)}


def test_where_the_store_is_away_many_orgs_are_not_waited_for_one_after_the_other(world: ServiceWorld) -> None:
    execution = key_of(world.begin(order))
    orgs = {LogKey(OrgId(f"org-{number}"), execution.execution_id): 3 for number in range(200)}
    world.seam.before("directory.get_many", *[unavailable] * 200 * AWAY)
    began_ms = world.clock.now_ms()
    assert project(world.services, orgs).keys() == orgs.keys()
    assert world.clock.now_ms() - began_ms < 30_000


def test_a_reply_that_is_lost_is_no_second_entry(world: ServiceWorld) -> None:
    execution = world.begin(order)
    world.seam.after("directory.write_together", unavailable)
    tell(world, execution)
    require_exactly_once(world.services, world.disk)
    require_listed(world.services, world.disk)


def test_of_two_projectors_at_once_one_begins_again(world: ServiceWorld) -> None:
    execution = world.begin(order)
    other = world.boot()
    world.seam.before("directory.write_together", lambda: project(other, {key_of(execution): 3}))
    tell(world, execution)
    require_exactly_once(world.services, world.disk)
    require_listed(world.services, world.disk)


def test_two_projectors_of_different_logs_meet_at_the_feed(world: ServiceWorld) -> None:
    first, second = world.begin(order), world.begin(order)
    other = world.boot()
    world.seam.before("directory.write_together", lambda: project(other, {key_of(second): 3}))
    tell(world, first)
    require_exactly_once(world.services, world.disk)
    require_listed(world.services, world.disk)


def test_an_execution_is_pointed_at_where_it_is_open_and_then_where_it_has_ended(world: ServiceWorld) -> None:
    execution = world.start(nothing_to_do)
    tell(world, execution)
    assert {group for group, _ in pointers(world.disk)} == {"OPEN", "OPEN#nothing_to_do"}
    world.settle()
    tell(world, execution)
    assert {group for group, _ in pointers(world.disk)} == {"COMPLETED", "COMPLETED#nothing_to_do"}


def test_a_change_of_status_among_the_open_ones_moves_no_pointer(world: ServiceWorld) -> None:
    execution = world.start(order)
    tell(world, execution)
    before = {name: dict(items) for name, items in world.disk.items.items() if name.startswith("@listing")}
    world.settle()
    tell(world, execution)
    assert {name: items for name, items in world.disk.items.items() if name.startswith("@listing")} == before


def test_why_an_execution_failed_is_listed(world: ServiceWorld) -> None:
    async def fails(driver: Driver, input: JsonValue) -> JsonValue:
        raise ValueError("no")

    execution = world.begin(fails)
    tell(world, execution)
    assert (listed(world, execution).status, listed(world, execution).failure_type) == ("FAILED", "ERROR")


# --- the row among the open executions ------------------------------------------------------------


def test_the_row_of_an_ended_execution_waits_for_the_projector(world: ServiceWorld) -> None:
    execution = world.begin(nothing_to_do)
    row = open_executions.find(world.services.directory, key_of(execution))
    assert row is not None
    assert row.is_told
    tell(world, execution)
    assert open_executions.find(world.services.directory, key_of(execution)) is None


def test_where_the_projector_comes_first_the_resumer_removes_the_row(world: ServiceWorld) -> None:
    execution = world.start(nothing_to_do)
    world.seam.before("directory.get_many", lambda: tell(world, execution))
    world.settle()
    assert open_executions.find(world.services.directory, key_of(execution)) is None


def test_where_each_misses_the_other_the_next_wake_removes_the_row(world: ServiceWorld) -> None:
    execution = world.start(nothing_to_do)
    world.seam.after("directory.get_many", lambda: tell(world, execution))
    world.settle()
    assert open_executions.find(world.services.directory, key_of(execution)) is not None
    wake(world.services, key_of(execution), 1)
    world.settle()
    assert open_executions.find(world.services.directory, key_of(execution)) is None


# --- what nobody was told -------------------------------------------------------------------------


def test_what_the_stream_has_lost_is_mended(world: ServiceWorld) -> None:
    ended, waiting = world.begin(nothing_to_do), world.begin(order)
    assert mending.run(world.services).projected == 2
    require_exactly_once(world.services, world.disk)
    require_listed(world.services, world.disk)
    assert open_executions.find(world.services.directory, key_of(ended)) is None
    assert open_executions.contains(world.services.directory, key_of(waiting))
    assert mending.run(world.services).projected == 0


def test_a_row_that_nobody_needs_any_more_is_removed(world: ServiceWorld) -> None:
    execution = world.start(nothing_to_do)
    world.seam.after("directory.get_many", lambda: tell(world, execution))
    world.settle()
    assert mending.run(world.services).projected == 0
    assert open_executions.find(world.services.directory, key_of(execution)) is None


def test_a_log_that_never_began_is_left_to_the_sweep(world: ServiceWorld) -> None:
    world.seam.before("log.put", kill)
    with pytest.raises(Killed):
        world.start(order)
    world.restart()
    assert mending.run(world.services).projected == 0
    assert len(list(open_executions.rows(world.services.directory))) == 1


def test_mending_gives_up_after_a_while_and_goes_on_next_time(world: ServiceWorld) -> None:
    for _ in range(250):
        world.start(order)
    world.seam.before("directory.write_together", *[lambda: world.clock.advance(31_000)] * 20)
    first = mending.run(world.services).projected
    assert 0 < first < 250
    while mending.run(world.services).projected:
        pass
    require_exactly_once(world.services, world.disk)
