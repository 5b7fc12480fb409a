"""Signals, cancels and settlements where too many append at once: each is recorded once, and answered by where it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from flowstrand.engine.decide import signal as decide_signal
from flowstrand.engine.events import ErrorInfo, PromiseRejected, SignalReceived
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import Conflict, LogCorrupted, Unavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import append, cancel, executions, inbox, promises, requests, signals, wakes
from flowstrand.service.executions import StartRequest
from flowstrand.service.signal_with_start import Signal, signal_with_start
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, kill, nothing, work

NO = ErrorInfo(type="No", message="no")


async def asks(driver: Driver, input: JsonValue) -> JsonValue:
    return await driver.create_promise("approval", key="order-1")


async def listens(driver: Driver, input: JsonValue) -> JsonValue:
    return [await driver.wait_for_signal("go") for _ in range(2)]


async def goes_on(driver: Driver, input: JsonValue) -> JsonValue:
    if input == "last":
        return await driver.wait_for_signal("go")
    await work(driver)
    await driver.continue_as("last")
    return None


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def contend(world: ServiceWorld, execution: str) -> None:
    """Let somebody else append before each of the next three puts."""
    world.seam.before(
        "log.put", *[hook for _ in range(3) for hook in (partial(interfere, world, execution), nothing)]
    )


def interfere(world: ServiceWorld, execution: str) -> None:
    def noise(draft: Draft) -> None:
        decide_signal.receive(draft, "noise", None)

    append.transact(world.boot(), key_of(execution), noise)


def when_left(world: ServiceWorld, act: Callable[[], object]) -> None:
    """Do something once the next request is in the inbox, and before whoever left it looks for it again."""
    world.seam.after("control.send", act)


def drained(world: ServiceWorld, execution: str) -> Callable[[], object]:
    return lambda: inbox.drain(world.boot(), key_of(execution))


def left(world: ServiceWorld, execution: str) -> list[str]:
    return list(world.disk.items.get(f"inbox#{key_of(execution)}", {}))


def heard(world: ServiceWorld, execution: str, name: str = "go") -> dict[int, JsonValue]:
    return {
        e.sequence: e.data.value  # type: ignore[misc]  # the values here are small
        for e in world.events(execution)
        if isinstance(e.data, SignalReceived) and e.data.name == name
    }


# --- signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_id", ["r1", None])
def test_a_signal_goes_through_the_inbox_after_three_conflicts(
    world: ServiceWorld, request_id: str | None
) -> None:
    execution = world.begin(listens)
    contend(world, execution)
    when_left(world, drained(world, execution))
    sequence = signals.signal(world.services, ORG, execution, "go", "now", request_id=request_id)
    assert heard(world, execution) == {sequence: "now"}
    assert left(world, execution) == []


def test_a_signal_that_nobody_takes_is_busy_and_its_repetition_is_recorded_once(world: ServiceWorld) -> None:
    execution = world.begin(listens)
    contend(world, execution)
    with pytest.raises(Unavailable) as busy:
        signals.signal(world.services, ORG, execution, "go", "now", request_id="r1")
    assert (busy.value.code, busy.value.status) == ("BUSY", 503)
    assert left(world, execution) == ["signal.r1"]
    sequence = signals.signal(world.services, ORG, execution, "go", "now", request_id="r1")
    world.settle()
    assert heard(world, execution) == {sequence: "now"}
    assert left(world, execution) == []


def test_a_signal_left_twice_is_one(world: ServiceWorld) -> None:
    execution = world.begin(listens)
    for _ in range(2):
        contend(world, execution)
        with pytest.raises(Unavailable):
            signals.signal(world.services, ORG, execution, "go", "now", request_id="r1")
    world.settle()
    assert list(heard(world, execution).values()) == ["now"]


def test_a_signal_is_found_though_many_came_behind_it(world: ServiceWorld) -> None:
    execution = world.begin(listens)
    contend(world, execution)

    def drain_and_forget() -> None:
        inbox.drain(world.boot(), key_of(execution))
        for number in range(300):
            signals.signal(world.boot(), ORG, execution, "noise", None, request_id=f"noise-{number}")

    when_left(world, drain_and_forget)
    sequence = signals.signal(world.services, ORG, execution, "go", "now", request_id="r1")
    assert heard(world, execution) == {sequence: "now"}


def test_a_large_signal_is_stored_and_referenced(world: ServiceWorld) -> None:
    execution = world.begin(listens)
    contend(world, execution)
    when_left(world, drained(world, execution))
    sequence = signals.signal(world.services, ORG, execution, "go", "x" * 20_000)
    assert isinstance(heard(world, execution)[sequence], PayloadRef)


def test_a_signal_to_an_execution_that_ended_meanwhile_is_refused(world: ServiceWorld) -> None:
    execution = world.begin(listens)
    contend(world, execution)

    def end() -> None:
        cancel.cancel(world.boot(), ORG, execution, force=True)
        inbox.drain(world.boot(), key_of(execution))

    when_left(world, end)
    with pytest.raises(Conflict) as closed:
        signals.signal(world.services, ORG, execution, "go", "now")
    assert closed.value.code == "EXECUTION_CLOSED"
    assert left(world, execution) == []


def test_a_signal_to_an_execution_that_went_on_as_another_is_recorded_there(world: ServiceWorld) -> None:
    execution = world.begin(goes_on)
    contend(world, execution)

    def go_on() -> None:
        [task] = world.claim()
        world.complete(task)
        for wake in world.wakes():
            wakes.handle(world.boot(), wake)

    when_left(world, go_on)
    sequence = signals.signal(world.services, ORG, execution, "go", "now")
    told = heard(world, execution) or heard(world, f"{execution}.n1")
    assert list(told.values()) == ["now"]
    world.settle()
    assert sequence in told
    assert executions.get(world.services, ORG, f"{execution}.n1").output == "now"


def test_a_signal_with_start_goes_through_the_inbox_as_well(world: ServiceWorld) -> None:
    world.code.deployed["listens"] = listens
    start = StartRequest(kind="listens", input=None)
    first = signal_with_start(world.services, ORG, start, "chat", Signal(name="go", value=1))
    execution = first.snapshot.workflow_execution_id
    world.settle()
    contend(world, execution)
    when_left(world, drained(world, execution))
    second = signal_with_start(world.services, ORG, start, "chat", Signal(name="go", value=2))
    assert (second.is_new, second.snapshot.workflow_execution_id) == (False, execution)
    assert heard(world, execution) == {first.sequence: 1, second.sequence: 2}


# --- cancels -------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_id", ["r1", None])
def test_a_cancel_goes_through_the_inbox(world: ServiceWorld, request_id: str | None) -> None:
    execution = world.begin(listens)
    contend(world, execution)
    when_left(world, drained(world, execution))
    sequence = cancel.cancel(world.services, ORG, execution, reason="enough", request_id=request_id)
    assert world.events(execution)[sequence - 1].type == "CANCELLATION_REQUESTED"
    world.settle()
    assert world.tally(execution, "CANCELLATION_REQUESTED") == 1
    assert executions.get(world.services, ORG, execution).status == "CANCELLED"


def test_a_forced_cancel_through_the_inbox_ends_the_execution(world: ServiceWorld) -> None:
    execution = world.begin(listens)
    contend(world, execution)
    when_left(world, drained(world, execution))
    sequence = cancel.cancel(world.services, ORG, execution, force=True)
    assert world.types(execution).endswith("CANCELLATION_REQUESTED WORKFLOW_CANCELLED")
    assert world.events(execution)[sequence - 1].type == "CANCELLATION_REQUESTED"


def test_a_cancel_that_nobody_takes_is_busy(world: ServiceWorld) -> None:
    execution = world.begin(listens)
    contend(world, execution)
    with pytest.raises(Unavailable) as busy:
        cancel.cancel(world.services, ORG, execution, request_id="r1")
    assert busy.value.code == "BUSY"
    world.settle()
    assert world.tally(execution, "CANCELLATION_REQUESTED") == 1
    assert cancel.cancel(world.services, ORG, execution, request_id="r1") == (
        world.types(execution).split().index("CANCELLATION_REQUESTED") + 1
    )


def test_a_cancel_of_what_ended_meanwhile_is_refused(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    contend(world, execution)

    def end() -> None:
        cancel.cancel(world.boot(), ORG, execution, force=True)
        inbox.drain(world.boot(), key_of(execution))

    when_left(world, end)
    with pytest.raises(Conflict) as closed:
        cancel.cancel(world.services, ORG, execution)
    assert closed.value.code == "EXECUTION_CLOSED"
    assert world.tally(execution, "CANCELLATION_REQUESTED") == 1


# --- promises ------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["{}.p1", "key:order-1"])
def test_a_settlement_goes_through_the_inbox(world: ServiceWorld, address: str) -> None:
    execution = world.begin(asks)
    contend(world, execution)
    when_left(world, drained(world, execution))
    settled = promises.resolve(world.services, ORG, address.format(execution), "yes")
    assert not settled.already_settled
    assert world.events(execution)[settled.sequence - 1].type == "PROMISE_RESOLVED"
    world.settle()
    assert executions.get(world.services, ORG, execution).output == "yes"


def test_a_rejection_goes_through_the_inbox(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    contend(world, execution)
    when_left(world, drained(world, execution))
    settled = promises.reject(world.services, ORG, f"{execution}.p1", NO)
    data = world.events(execution)[settled.sequence - 1].data
    assert isinstance(data, PromiseRejected)
    assert data.error == NO


def test_whoever_comes_second_through_the_inbox_is_told_so(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    contend(world, execution)

    def another_settles_it() -> None:
        promises.resolve(world.boot(), ORG, f"{execution}.p1", "yes")
        inbox.drain(world.boot(), key_of(execution))

    when_left(world, another_settles_it)
    settled = promises.resolve(world.services, ORG, f"{execution}.p1", "yes")
    assert settled.already_settled
    assert world.tally(execution, "PROMISE_RESOLVED") == 1


def test_two_settlements_in_one_inbox_have_one_winner(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    tip = append.require(world.services, key_of(execution))
    for request_id in ("a", "b"):
        inbox.put(world.services, tip, requests.Settlement(position=1, value="yes", request_id=request_id))
    world.settle()
    known = {
        request_id: requests.recorded_at(
            world.services, tip, requests.Settlement(position=1, value="yes", request_id=request_id)
        )
        for request_id in ("a", "b")
    }
    assert world.tally(execution, "PROMISE_RESOLVED") == 1
    assert list(known.values()).count(None) == 1


def test_a_settlement_that_nobody_takes_is_busy_and_is_made_later(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    contend(world, execution)
    with pytest.raises(Unavailable):
        promises.resolve(world.services, ORG, f"{execution}.p1", "yes")
    world.settle()
    assert executions.get(world.services, ORG, execution).output == "yes"
    assert promises.resolve(world.services, ORG, f"{execution}.p1", "yes").already_settled


# --- all of them ---------------------------------------------------------------------------------


def test_a_resumer_that_dies_before_it_empties_the_inbox_records_nothing_twice(world: ServiceWorld) -> None:
    execution = world.begin(listens)
    tip = append.require(world.services, key_of(execution))
    inbox.put(world.services, tip, requests.Signal(name="go", value=1, request_id="r1"))
    world.seam.before("directory.delete", kill)
    world.die()
    world.jump(60_000)
    assert list(heard(world, execution).values()) == [1]
    assert left(world, execution) == []


EVERY = [
    requests.Signal(name="go", value={"a": [1]}, request_id="r"),
    requests.Signal(name="go", value=None, request_id="r"),
    requests.Signal(name="go", value=PayloadRef("ab", 9), request_id="r"),
    requests.Cancellation(reason="why", cascade=False, force=True, request_id="r"),
    requests.Cancellation(reason=None, cascade=True, force=False, request_id="r"),
    requests.Settlement(position=3, value={"valueRef": {"sha256": "x", "size": 1}}, request_id="r"),
    requests.Settlement(position=3, error=NO, request_id="r"),
]


@pytest.mark.parametrize("request_", EVERY)
def test_a_request_is_what_was_left(request_: requests.Request) -> None:
    assert requests.parse(requests.dump(request_)) == request_


@pytest.mark.parametrize("body", [{}, {"type": "signal"}, {"type": "settle", "position": "1"}, {"type": "cancel"}])
def test_what_is_no_request_is_not_taken_for_one(body: dict[str, JsonValue]) -> None:
    with pytest.raises(LogCorrupted):
        requests.parse(body)
