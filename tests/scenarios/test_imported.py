"""A log that was imported from another store: every transport shows it, it is listed, it can be retried, and nothing follows in it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from flowstrand.engine.events import EventType
from flowstrand.engine.ids import OrgId
from flowstrand.histories.history import History
from flowstrand.histories.reading import read
from flowstrand.histories.writing import HistoryWriter
from flowstrand.jsonvalue import JsonValue
from flowstrand.local.stores import sqlite_stores
from flowstrand.log.port import LogKey
from flowstrand.operations.channel_exporting import export_channel
from flowstrand.operations.channel_importing import import_channel
from flowstrand.operations.exporting import family
from flowstrand.operations.importing import Checked, Outcome, check, import_one
from flowstrand.service.container import install
from flowstrand.testing.replay import replay_events
from tests.scenarios import durable
from tests.scenarios.app import APP
from tests.scenarios.transports import TRANSPORTS, Row, history
from tests.scenarios.world import ORG, START_MS, World

LARGE = "large " * 3_000


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[World]:
    """Another store, where executions run first."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    stores = sqlite_stores(folder)
    yield World(stores, warm=16)
    stores.close()


def _moved(source: World, target: World, *executions: str) -> list[History]:
    """Export from one, through a file, and import into the other."""
    keys: list[LogKey] = [source.key(execution) for execution in executions]
    file = io.StringIO()
    with HistoryWriter(file, now_ms=START_MS, version="0") as writer:
        for each in family(source.services, keys, with_descendants=True):
            writer.write(each)
    found = list(read(file.getvalue().splitlines(keepends=True)))
    assert check(found, leave_out_open=False) == Checked(executions=len(found))
    for each in found:
        assert import_one(target.services, each).outcome is Outcome.IMPORTED
    return found


def _rows(found: History) -> list[Row]:
    return [(event.sequence, event.type.value) for event in found.events]


def _run(world: World, kind: str, tasks: dict[str, JsonValue]) -> str:
    """An execution to its end, each of these tasks completed in turn."""
    with ExitStack() as stack:
        stack.callback(install(world.services))
        execution = world.start(kind)
        world.settle()
        for task, output in tasks.items():
            world.complete(world.claim(task)[task], output)
            world.settle()
        assert world.get(execution)["status"] in {"COMPLETED", "FAILED"}
        return execution


def test_every_transport_shows_an_imported_log_as_it_was(world: World, elsewhere: World) -> None:
    execution = _run(elsewhere, "parent", {"work": LARGE})
    for found in _moved(elsewhere, world, execution):
        for transport in TRANSPORTS:
            assert transport(world, found.key.execution_id) == _rows(found), transport.__name__
    answer = world.open_stream(execution, after=str(len(history(world, execution))))
    assert answer.status == 204


def test_it_is_listed_and_got_like_any_other(world: World, elsewhere: World) -> None:
    execution = _run(elsewhere, "parent", {"work": LARGE})
    before = _shown(elsewhere, execution)
    _moved(elsewhere, world, execution)
    assert _shown(world, execution) == before
    listed = world.request("GET", "/workflow-executions", status="COMPLETED").body["executions"]
    assert {each["workflowExecutionId"] for each in listed} == {execution, f"{execution}.c1"}
    assert [
        c["childWorkflowId"] for c in world.request("GET", f"{world.path(execution)}/children").body["children"]
    ]


def _shown(world: World, execution: str) -> Any:
    with ExitStack() as stack:
        stack.callback(install(world.services))
        return world.get(execution)


def test_nothing_can_follow_in_it(world: World, elsewhere: World) -> None:
    execution = _run(elsewhere, "parent", {"work": LARGE})
    _moved(elsewhere, world, execution)
    before = history(world, execution)
    assert world.signal(execution, "hello").status == 409
    assert world.cancel(execution).status == 409
    world.jump(86_400)
    assert history(world, execution) == before


def test_who_reads_and_writes_a_channel_goes_on_where_it_is_now(world: World, elsewhere: World) -> None:
    with ExitStack() as stack:
        stack.callback(install(elsewhere.services))
        durable.create(elsewhere, "chat")
        offset = durable.append(elsewhere, "chat", b"one", **_producer(0)).offset
        durable.append(elsewhere, "chat", b"two", **_producer(1))
        history = export_channel(elsewhere.services, OrgId(ORG), "chat")
    import_channel(world.services, history)
    assert durable.read(world, "chat", offset).body == b"two"
    assert [durable.append(world, "chat", b"three", **_producer(number)).status for number in (1, 2, 4)] == [
        204,
        200,
        409,
    ]
    assert durable.read(world, "chat", offset).body == b"twothree"


def _producer(number: int) -> dict[str, str]:
    return {"Producer_Id": "p", "Producer_Epoch": "0", "Producer_Seq": str(number)}


def test_a_failed_one_can_be_retried_where_it_is_now(world: World, elsewhere: World) -> None:
    execution = _run(elsewhere, "failing-child", {})
    _moved(elsewhere, world, execution)
    answer = world.request("POST", f"{world.path(execution)}/retry", {})
    assert answer.status == 201
    world.settle()
    assert world.get(answer.body["workflowExecutionId"])["retriedFrom"] == execution


def test_it_replays_on_its_code(world: World, elsewhere: World) -> None:
    execution = _run(elsewhere, "retries", {"fails": LARGE})
    [found] = _moved(elsewhere, world, execution)
    assert found.payloads
    replayed = replay_events(found.with_values(), APP)
    assert replayed.events == len(found.events)
    types = [event.type for event in found.events]
    assert types[-1] is EventType.WORKFLOW_COMPLETED
