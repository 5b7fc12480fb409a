"""The janitor (law 9): killed before or after anything it does, the next one finishes, and no log is ever taken for another."""

from __future__ import annotations

from itertools import count

import pytest

from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.task_log import LogLevel, LogRecord
from flowstrand.errors import Gone, LogCorrupted, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.log.retention import DAY_MS, KEPT_MS, NAME_KEPT_MS
from flowstrand.service import (
    append,
    executions,
    history,
    idempotency,
    janitor,
    mending,
    promise_keys,
    promises,
    start_once,
    strand,
    task_log_rows,
)
from flowstrand.service.executions import StartRequest
from flowstrand.service.task_log_rows import Batch
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, key_of, kill

FOR_EVER = 10**15


async def approves(driver: Driver, input: JsonValue) -> JsonValue:
    first: JsonValue = await driver.create_promise("approval", key="order-1")
    second: JsonValue = await driver.create_promise("approval", key="order-2")
    return [first, second]


async def has_a_child(driver: Driver, input: JsonValue) -> JsonValue:
    child = driver.start_child("approves", None, name="the-child", queue="default")
    given: JsonValue = await child
    return given


def ended() -> tuple[ServiceWorld, list[str]]:
    """A keyed parent and its child that have ended, thirty days ago."""
    world = ServiceWorld()
    for code in (approves, has_a_child):
        world.code.deployed[code.__name__] = code
    request = StartRequest(kind="has_a_child", input=None)
    started = start_once.start_once(world.services, ORG, request, "k", ttl_ms=1_000)
    world.settle()
    for key in ("key:order-1", "key:order-2"):
        promises.resolve(world.services, ORG, key, "yes")
        world.settle()
    mending.run(world.services)
    for number in range(20):  # more than are removed at a time
        _log(world, key_of(started.snapshot.workflow_execution_id), number)
    parent = started.snapshot.workflow_execution_id
    assert executions.get(world.services, ORG, parent).output == ["yes", "yes"]
    world.clock.advance(30 * DAY_MS)
    return world, [str(key.execution_id) for key in world.disk.commits]


def _log(world: ServiceWorld, key: LogKey, number: int) -> None:
    record = LogRecord(timestamp_ms=EpochMs(world.clock.now_ms()), level=LogLevel.INFO, message="hello")
    batch = Batch(position=1, attempt=1, number=number, records=(record,), size=1)
    task_log_rows.add(world.services.directory, key, batch)


def clean(world: ServiceWorld) -> janitor.Cleaned:
    return janitor.run(world.services, until_ms=FOR_EVER)


def clean_until_done(world: ServiceWorld) -> None:
    """Run after run, an hour apart."""
    for _ in range(4):
        clean(world)
        world.clock.advance(DAY_MS // 24)


def lasting(world: ServiceWorld) -> dict[str, list[str]]:
    """What the directory has that does not go by itself."""
    by_itself = ("turns#", "turn-lease#", "rearmed#", "heartbeat#", "listing#", "feed#", "feeds#", "quotas#")
    return {
        partition: sorted(items)
        for partition, items in world.disk.items.items()
        if items and not partition.startswith(by_itself)
    }


def test_when_it_is_done_nothing_is_left_but_how_executions_began_and_ended() -> None:
    world, logs = ended()
    clean_until_done(world)
    for execution in logs:
        rows = world.commits(execution)
        assert len(rows) == 2
        assert rows[0].expires_at_ms is not None
        assert rows[1].expires_at_ms is not None
        assert rows[0].expires_at_ms - rows[1].expires_at_ms == NAME_KEPT_MS - KEPT_MS
    assert not [
        name
        for name in lasting(world)
        if name.startswith(("closed#", "open#", "idempotency#", "heirs#", "@task-logs#"))
    ]
    assert promise_keys.find(world.services, ORG, "order-1") is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_it_leaves_what_the_next_one_finishes(when: str) -> None:
    expected, logs = ended()
    clean_until_done(expected)
    for calls in count():
        world, _ = ended()
        if not _killed(world, calls, when):
            break
        for execution in logs:
            _require_no_false_log(world, key_of(execution))
        clean_until_done(world)
        assert lasting(world) == lasting(expected)
        assert {key: [row.sequence for row in rows] for key, rows in world.disk.commits.items()} == {
            key: [row.sequence for row in rows] for key, rows in expected.disk.commits.items()
        }
    assert calls > 20


def _killed(world: ServiceWorld, calls: int, when: str) -> bool:
    """Run the janitor until it is killed before or after its nth call to a store; whether it got that far."""
    left = calls

    def gate(_name: str) -> None:
        nonlocal left
        if left == 0:
            left -= 1
            if when == "before":
                raise Killed
            world.seam.after(_name, kill)
            return
        left -= 1

    world.seam.gate = gate
    try:
        clean(world)
    except Killed:
        return True
    finally:
        world.seam.gate = lambda _: None
        world.restart()
    return False


def _require_no_false_log(world: ServiceWorld, key: LogKey) -> None:
    """The log is whole, or says that it has expired; it is never a gap, an empty history, or one that goes on."""
    tip = append.load(world.services, key)
    assert tip is not None
    assert tip.state.closed is not None
    if not tip.is_expired:
        rows = world.services.log.read(key, after=0)
        assert rows[-1].last_sequence == tip.state.sequence
        return
    with pytest.raises(Gone):
        history.page(world.services, key.org, key.execution_id, after=0)


def test_an_execution_in_memory_elsewhere_is_not_driven_from_a_log_with_a_gap() -> None:
    world, logs = ended()
    key = key_of(logs[0])
    world.services.retention.expire(key, now_ms=0, limit=1_000)  # type: ignore[union-attr]  # it has one
    with pytest.raises(LogCorrupted):
        strand.open_strand(world.services, key)


def test_a_store_that_is_away_ends_the_run() -> None:
    world, _ = ended()

    def away() -> None:
        raise StoreUnavailable("the store is away")

    world.seam.before("retention.mark", away)
    with pytest.raises(StoreUnavailable):
        clean(world)
    clean_until_done(world)
    assert not [name for name in lasting(world) if name.startswith("closed#")]


def test_an_end_that_is_not_remembered_is_told_again() -> None:
    world = ServiceWorld()
    world.code.deployed["approves"] = approves
    execution = world.begin(approves)
    promises.resolve(world.services, ORG, "key:order-1", "yes")
    world.settle()
    promises.resolve(world.services, ORG, "key:order-2", "yes")
    world.seam.gate = lambda name: _kill_at_closed(world, name)
    with pytest.raises(Killed):
        world.settle()
    world.seam.gate = lambda _: None
    world.restart()
    world.jump(DAY_MS)
    assert executions.get(world.services, ORG, execution).status == "COMPLETED"
    mending.run(world.services)
    world.clock.advance(30 * DAY_MS)
    assert clean(world).expired == 1


def _kill_at_closed(world: ServiceWorld, name: str) -> None:
    """Dies where the row for the janitor is about to be written."""
    execution = next(iter(world.disk.commits))
    tip = append.load(world.services, execution) if name == "directory.put" else None
    if tip is not None and tip.state.closed is not None:
        raise Killed


def test_a_key_that_is_live_keeps_the_log_whole() -> None:
    world = ServiceWorld(retention_days=1)

    async def returns(driver: Driver, input: JsonValue) -> JsonValue:
        return 1

    world.code.deployed["returns"] = returns
    request = StartRequest(kind="returns", input=None)
    start_once.start_once(world.services, ORG, request, "k", ttl_ms=idempotency.MAX_TTL_MS)
    world.settle()
    mending.run(world.services)
    world.clock.advance(29 * DAY_MS)
    assert (clean(world).expired, clean(world).kept) == (0, 0)
    assert not start_once.start_once(world.services, ORG, request, "k", ttl_ms=1_000).is_new
    world.clock.advance(DAY_MS)
    assert clean(world).expired == 1
