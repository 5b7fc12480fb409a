"""What an export has of an execution, and which executions it has."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Gone, LogCorrupted, NotFound
from flowstrand.histories.history import History, TaskLogBatch
from flowstrand.histories.writing import history_of
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.log.sqlite_inventory import SqliteInventory
from flowstrand.operations.exporting import export_one, family, listed, standalone_tasks
from flowstrand.service import standalone, workers
from flowstrand.service.listing import Filter
from flowstrand.service.projection import project
from flowstrand.service.standalone import TaskRequest
from flowstrand.service.workers import Registration
from tests.unit.operations.exported import LARGE, RECORD, completed, exported, file_of, log, order
from tests.unit.service.service_world import ORG, ServiceWorld, key_of


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


async def child(driver: Driver, input: JsonValue) -> JsonValue:
    return input


async def parent(driver: Driver, input: JsonValue) -> JsonValue:
    given: JsonValue = await driver.start_child("child", input, name="the-child", queue="default")
    return given


def test_a_history_has_every_event_of_the_log_and_the_payloads_of_them(world: ServiceWorld) -> None:
    execution = completed(world)
    [history] = exported(world, execution)
    assert [event.data for event in history.events] == [event.data for event in world.events(execution)]
    assert [event.timestamp_ms for event in history.events] == [e.timestamp_ms for e in world.events(execution)]
    outputs = [event.data.output for event in history.with_values() if hasattr(event.data, "output")]
    assert outputs == [LARGE, LARGE, LARGE]
    assert len(history.payloads) == 1
    assert history.is_closed


def test_exporting_changes_nothing(world: ServiceWorld) -> None:
    execution = completed(world)
    world.seam.calls.clear()
    exported(world, execution)
    assert {call.partition(".")[2] for call in world.seam.calls} <= {"newest", "following", "get", "scan"}


def test_two_exports_of_a_log_have_the_same_lines(world: ServiceWorld) -> None:
    execution = completed(world)
    assert file_of(world, execution) == file_of(world, execution)


def test_an_open_log_is_exported_as_far_as_it_goes_and_said_to_be_open(world: ServiceWorld) -> None:
    execution = world.begin(order)
    lines = file_of(world, execution)
    assert json.loads(lines[1]) | {"closed": False, "status": "WAITING", "kind": "order"} == json.loads(lines[1])
    [history] = exported(world, execution)
    assert not history.is_closed


def test_children_come_behind_their_parent(world: ServiceWorld) -> None:
    world.code.deployed["child"] = child
    execution = world.begin(parent, "hat")
    ids = [history.key.execution_id for history in exported(world, execution)]
    assert ids == [execution, f"{execution}.c1"]
    alone = exported(world, execution, descendants=False)
    assert [history.key.execution_id for history in alone] == [execution]


def test_an_execution_asked_for_twice_or_below_another_is_there_once(world: ServiceWorld) -> None:
    world.code.deployed["child"] = child
    execution = world.begin(parent, "hat")
    found = exported(world, execution, f"{execution}.c1", execution)
    assert [history.key.execution_id for history in found] == [execution, f"{execution}.c1"]


def test_what_is_not_there_is_not_found(world: ServiceWorld) -> None:
    with pytest.raises(NotFound):
        export_one(world.services, key_of("nobody"))


def test_an_expired_log_cannot_be_exported(world: ServiceWorld) -> None:
    execution = completed(world)
    assert world.services.retention is not None
    world.services.retention.expire(key_of(execution), now_ms=world.clock.now_ms(), limit=100)
    with pytest.raises(Gone) as refused:
        export_one(world.services, key_of(execution))
    assert refused.value.code == "EXECUTION_EXPIRED"


def test_a_missing_payload_is_said_to_be_missing(world: ServiceWorld) -> None:
    execution = completed(world)
    world.disk.bodies.clear()
    with pytest.raises(LogCorrupted, match="no payload"):
        export_one(world.services, key_of(execution))


def _project(world: ServiceWorld, *executions: str) -> None:
    ends = {key_of(execution): world.commits(execution)[-1].last_sequence for execution in executions}
    assert project(world.services, ends) == {}


def test_the_executions_of_an_org_are_those_that_are_listed(world: ServiceWorld) -> None:
    first, second = completed(world), world.begin(order)
    _project(world, first, second)
    everything = {key.execution_id for key in listed(world.services, ORG, Filter())}
    assert everything == {first, second}
    assert [key.execution_id for key in listed(world.services, ORG, Filter(kind="nothing"))] == []


def test_one_that_is_listed_and_gone_is_left_out(world: ServiceWorld) -> None:
    first, second = completed(world), completed(world)
    _project(world, first, second)
    del world.disk.commits[key_of(first)]
    keys = list(listed(world.services, ORG, Filter()))
    found: list[History] = list(family(world.services, keys, with_descendants=True, may_be_gone=True))
    assert [history.key.execution_id for history in found] == [second]


def test_what_tasks_have_logged_goes_with_their_log(world: ServiceWorld) -> None:
    execution = completed(world)
    logged = [TaskLogBatch(position=position, attempt=1, number=1, records=(RECORD,)) for position in (1, 2)]
    for batch in logged:
        log(world, execution, batch)
    log(world, completed(world), logged[0])
    [history] = exported(world, execution)
    assert list(history.task_logs) == logged
    assert history.sha256 == history_of(history.key, history.commits, {}).sha256, (
        "a log is what it was without them"
    )


def test_standalone_tasks_are_found_among_all_logs() -> None:
    database = SqliteDatabase.in_memory()
    world = ServiceWorld()
    world.services = replace(world.services, log=SqliteLog(database))
    workers.register(world.services, ORG, Registration(name="w", queues=("default",), task_kinds=("work",)))
    completed(world)
    task = standalone.start(world.services, ORG, TaskRequest(kind="work", input=None)).key.execution_id
    keys = list(standalone_tasks(SqliteInventory(database).keys(ORG)))
    assert keys == [key_of(task)]
    assert list(standalone_tasks(SqliteInventory(database).keys(OrgId("acm")))) == []
    [history] = family(world.services, keys, with_descendants=True)
    assert history.key == keys[0]
    database.close()
