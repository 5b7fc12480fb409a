"""Signals from outside: recorded once, in order, and heard by whoever waits."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import SignalReceived, WorkflowCompleted
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import CallerError, Conflict, NotFound, Unavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import append, signals
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, kill


async def two_signals(driver: Driver, input: JsonValue) -> JsonValue:
    return [await driver.wait_for_signal("go"), await driver.wait_for_signal("go")]


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def send(
    world: ServiceWorld,
    execution: str,
    value: JsonValue = None,
    *,
    name: str = "go",
    request_id: str | None = None,
) -> int:
    return signals.signal(world.services, ORG, execution, name, value, request_id=request_id)


def output(world: ServiceWorld, execution: str) -> object:
    end = world.events(execution)[-1].data
    assert isinstance(end, WorkflowCompleted)
    return end.output


def test_signals_are_taken_in_the_order_of_the_log(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    assert (send(world, execution, 1), send(world, execution, 2)) == (3, 4)
    world.settle()
    assert output(world, execution) == [1, 2]


def test_a_signal_before_the_first_turn_is_not_lost(world: ServiceWorld) -> None:
    execution = world.start(two_signals)
    send(world, execution, 1)
    world.settle()
    send(world, execution, 2)
    world.settle()
    assert output(world, execution) == [1, 2]


def test_a_signal_that_nobody_waits_for_wakes_nobody(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    send(world, execution, name="other")
    assert world.wakes() == []


def test_a_signal_repeated_after_a_lost_reply_is_recorded_once(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    world.seam.after("log.put", kill)
    with pytest.raises(Killed):
        send(world, execution, 1, request_id="r")
    world.restart()
    assert send(world, execution, 1, request_id="r") == 3
    assert world.tally(execution, "SIGNAL_RECEIVED") == 1


def test_repeating_a_signal_sends_its_wake_again(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    world.seam.before("control.send", kill)
    with pytest.raises(Killed):
        send(world, execution, 1, request_id="r")
    assert world.wakes() == []
    sequence = send(world, execution, 1, request_id="r")
    assert [wake.sequence for wake in world.wakes()] == [sequence]
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_RESUMED WORKFLOW_SUSPENDED")


def test_without_a_request_id_every_call_is_a_signal(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    assert send(world, execution) + 1 == send(world, execution)


def test_a_closed_execution_refuses_new_signals_and_answers_old_ones(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    first = send(world, execution, 1, request_id="r")
    send(world, execution, 2)
    world.settle()
    length = len(world.events(execution))
    with pytest.raises(Conflict) as refused:
        send(world, execution, 3)
    assert refused.value.code == "EXECUTION_CLOSED"
    assert send(world, execution, 1, request_id="r") == first
    assert len(world.events(execution)) == length


def test_an_unknown_execution_and_another_orgs_are_not_found(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    with pytest.raises(NotFound):
        send(world, "01NEVER")
    with pytest.raises(NotFound):
        signals.signal(world.services, OrgId("other"), execution, "go", None)


def test_a_large_value_is_stored_beside_the_log_and_reaches_the_code(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    large = "x" * 20_000
    send(world, execution, large)
    received = world.events(execution)[-1].data
    assert isinstance(received, SignalReceived)
    assert isinstance(received.value, PayloadRef)
    send(world, execution, 2)
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_a_value_over_the_limit_is_refused(world: ServiceWorld) -> None:
    execution = world.begin(two_signals)
    with pytest.raises(CallerError) as refused:
        send(world, execution, "x" * 1_100_000)
    assert (refused.value.status, world.tally(execution, "SIGNAL_RECEIVED")) == (413, 0)


def test_a_signal_that_always_loses_is_to_be_sent_again(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = world.begin(two_signals)

    def lose(*_: object, **__: object) -> None:
        raise append.Contended(append.require(world.services, world.commits(execution)[0].key))

    monkeypatch.setattr(append, "transact", lose)
    with pytest.raises(Unavailable) as refused:
        send(world, execution)
    assert refused.value.code == "BUSY"


async def counts(driver: Driver, input: JsonValue) -> JsonValue:
    """Continues as another execution after each signal, until it has heard two."""
    heard = await driver.wait_for_signal("go")
    if input == "last":
        return heard
    await driver.continue_as("last")
    return None


def test_a_signal_to_an_execution_that_has_continued_goes_to_its_successor_once(world: ServiceWorld) -> None:
    first = world.begin(counts)
    send(world, first, 1, request_id="1")
    world.settle()
    assert world.types(first).endswith("WORKFLOW_COMPLETED")
    sequence = send(world, first, 2, request_id="2")
    assert send(world, first, 2, request_id="2") == sequence
    assert send(world, first, 1, request_id="1") == 3
    world.settle()
    assert world.tally(first, "SIGNAL_RECEIVED") == 1
    assert output(world, f"{first}.n1") == 2
    assert world.tally(f"{first}.n1", "SIGNAL_RECEIVED") == 1
