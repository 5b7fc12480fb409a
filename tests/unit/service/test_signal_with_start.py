"""Signal-with-start: nothing is begun without its signal, and no request is recorded twice."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import SignalReceived
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import Payload
from flowstrand.errors import PayloadTooLarge
from flowstrand.jsonvalue import JsonValue
from flowstrand.service.executions import StartRequest
from flowstrand.service.signal_with_start import Signal, SignalledWithStart, signal_with_start
from flowstrand.service.start_once import start_once
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, kill

MINUTE_MS = 60_000


async def listens(driver: Driver, input: JsonValue) -> JsonValue:
    """Ends with the first word."""
    return await driver.wait_for_signal("word")


async def relays(driver: Driver, input: JsonValue) -> JsonValue:
    """Takes a word and goes on as another, until it has heard `end`."""
    word: JsonValue = await driver.wait_for_signal("word")
    if word != "end":
        await driver.continue_as(None)
    return word


@pytest.fixture
def world() -> ServiceWorld:
    world = ServiceWorld()
    world.code.deployed |= {"listens": listens, "relays": relays}
    return world


def say(
    world: ServiceWorld, value: JsonValue, *, request_id: str | None = None, kind: str = "listens"
) -> SignalledWithStart:
    request = StartRequest(kind=kind, input=None)
    return signal_with_start(
        world.services, ORG, request, "chat", Signal(name="word", value=value, request_id=request_id)
    )


def of(said: SignalledWithStart) -> tuple[str, int]:
    return said.snapshot.workflow_execution_id, said.sequence


def heard(world: ServiceWorld, execution: str) -> list[Payload]:
    """The values of its signals."""
    events = [event.data for event in world.events(execution)]
    return [data.value for data in events if isinstance(data, SignalReceived)]


def test_an_execution_begins_with_its_signal_in_one_commit(world: ServiceWorld) -> None:
    said = say(world, "a")
    execution, sequence = of(said)
    assert (said.is_new, sequence) == (True, 2)
    [commit] = world.commits(execution)
    assert (commit.count, world.types(execution)) == (2, "WORKFLOW_STARTED SIGNAL_RECEIVED")
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_whoever_loses_the_race_to_begin_signals_the_execution_that_won(world: ServiceWorld) -> None:
    won: list[SignalledWithStart] = []
    world.seam.before("log.put", lambda: won.append(say(world, "a")))
    lost = say(world, "b")
    assert (won[0].is_new, lost.is_new, lost.sequence) == (True, False, 3)
    assert heard(world, of(lost)[0]) == ["a", "b"]


def test_an_execution_that_ends_before_the_signal_is_recorded_is_followed_by_one_that_has_it(
    world: ServiceWorld,
) -> None:
    first = say(world, "a")
    world.seam.before("log.put", world.settle)
    second = say(world, "b")
    assert second.is_new
    assert heard(world, of(second)[0]) == ["b"]
    assert heard(world, of(first)[0]) == ["a"]


def test_a_request_repeated_is_recorded_once_even_when_its_execution_has_ended(world: ServiceWorld) -> None:
    first = say(world, "a", request_id="r1")
    world.settle()
    assert of(say(world, "a", request_id="r1")) == of(first)
    second = say(world, "b", request_id="r2")
    assert second.is_new
    assert of(say(world, "a", request_id="r1")) == of(first)
    assert heard(world, of(second)[0]) == ["b"]


def test_a_request_is_not_looked_for_in_executions_of_long_ago(world: ServiceWorld) -> None:
    say(world, "a", request_id="r1")
    world.settle()
    second = say(world, "b", request_id="r2")
    world.clock.advance(11 * MINUTE_MS)
    again = say(world, "a", request_id="r1")
    assert of(again) == (of(second)[0], 3)


def test_a_caller_who_ended_before_the_beginning_is_followed_by_one_who_begins_it(world: ServiceWorld) -> None:
    world.seam.after("directory.put", kill)
    with pytest.raises(Killed):
        say(world, "a", request_id="r1")
    said = say(world, "a", request_id="r1")
    assert said.is_new
    assert heard(world, of(said)[0]) == ["a"]


def test_an_execution_that_has_continued_is_signalled_where_it_has_got_to(world: ServiceWorld) -> None:
    execution, _ = of(say(world, "a", kind="relays", request_id="r1"))
    world.settle()
    assert of(say(world, "a", kind="relays", request_id="r1")) == (execution, 2)
    assert of(say(world, "end", kind="relays"))[0] == f"{execution}.n1"
    world.settle()
    assert say(world, "b", kind="relays").is_new


def test_a_completed_execution_that_a_start_would_find_gives_way_to_a_signal(world: ServiceWorld) -> None:
    request = StartRequest(kind="listens", input=None)
    first = say(world, "a")
    world.settle()
    found = start_once(world.services, ORG, request, "chat", ttl_ms=MINUTE_MS)
    assert (found.is_new, found.snapshot.workflow_execution_id) == (False, of(first)[0])
    assert say(world, "b").is_new


def test_a_value_that_is_too_large_claims_nothing(world: ServiceWorld) -> None:
    with pytest.raises(PayloadTooLarge):
        say(world, "x" * 1_048_576)
    assert world.disk.items == {}
