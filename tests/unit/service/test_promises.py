"""Promises from outside: the first settles, by id or by key, and everybody else is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from flowstrand.engine.events import ErrorInfo, PromiseCreated, WorkflowCompleted
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import CallerError, PromiseRejected
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import promises
from flowstrand.service.promises import Settled
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, kill, work

ERROR = ErrorInfo(type="TooExpensive", message="over budget")


async def approval(driver: Driver, input: JsonValue) -> JsonValue:
    try:
        return await driver.create_promise("approval", key=str(input) if input else None)
    except PromiseRejected as rejected:
        return rejected.error_type


async def abandons(driver: Driver, input: JsonValue) -> JsonValue:
    driver.create_promise("approval")
    return await work(driver)


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def promise_of(world: ServiceWorld, execution: str) -> str:
    [created] = [event.data for event in world.events(execution) if isinstance(event.data, PromiseCreated)]
    return created.promise_id


def resolve(world: ServiceWorld, promise_id: str, value: JsonValue = "yes") -> Settled:
    return promises.resolve(world.services, ORG, promise_id, value)


def output(world: ServiceWorld, execution: str) -> object:
    end = world.events(execution)[-1].data
    assert isinstance(end, WorkflowCompleted)
    return end.output


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(CallerError) as refused:
        call()
    return refused.value.status, refused.value.code


def test_a_resolved_promise_gives_its_value(world: ServiceWorld) -> None:
    execution = world.begin(approval)
    assert resolve(world, promise_of(world, execution)) == Settled(sequence=4, already_settled=False)
    world.settle()
    assert output(world, execution) == "yes"


def test_a_rejected_promise_raises(world: ServiceWorld) -> None:
    execution = world.begin(approval)
    promises.reject(world.services, ORG, promise_of(world, execution), ERROR)
    world.settle()
    assert output(world, execution) == "TooExpensive"


def test_the_first_settles_and_the_others_change_nothing_even_after_the_end(world: ServiceWorld) -> None:
    execution = world.begin(approval)
    promise = promise_of(world, execution)
    resolve(world, promise)
    late = Settled(sequence=4, already_settled=True)
    assert promises.reject(world.services, ORG, promise, ERROR) == late
    world.settle()
    assert resolve(world, promise, "no") == late
    assert output(world, execution) == "yes"


def test_a_repetition_sends_the_lost_wake_again(world: ServiceWorld) -> None:
    execution = world.begin(approval)
    world.seam.before("control.send", kill)
    with pytest.raises(Killed):
        resolve(world, promise_of(world, execution))
    assert world.wakes() == []
    resolve(world, promise_of(world, execution))
    world.settle()
    assert output(world, execution) == "yes"


def test_a_promise_is_settled_by_its_key(world: ServiceWorld) -> None:
    execution = world.begin(approval, "order 7/8")
    assert not resolve(world, "key:order 7/8").already_settled
    world.settle()
    assert output(world, execution) == "yes"
    assert resolve(world, "key:order 7/8").already_settled


def test_a_key_is_its_first_holders_while_that_is_open_and_then_the_nexts(world: ServiceWorld) -> None:
    first = world.begin(approval, "k")
    second = world.begin(approval, "k")
    resolve(world, "key:k", 1)
    world.settle()
    third = world.begin(approval, "k")
    resolve(world, "key:k", 3)
    world.settle()
    assert (output(world, first), output(world, third)) == (1, 3)
    assert world.types(second).endswith("WORKFLOW_SUSPENDED")


def test_a_key_survives_a_resumer_that_dies_before_it_registers_it(world: ServiceWorld) -> None:
    execution = world.start(approval, "k")
    world.seam.before("directory.put", kill)
    world.die()
    world.jump(60_000)
    assert resolve(world, "key:k").sequence == world.events(execution)[-1].sequence


def test_what_was_never_promised_is_not_found(world: ServiceWorld) -> None:
    execution = world.begin(approval)
    for unknown in (f"{execution}.p9", f"{execution}.t1", "01NEVER.p1", "nonsense", "", "key:", "key:nobody"):
        assert refusal(partial(resolve, world, unknown)) == (404, "PROMISE_NOT_FOUND"), unknown


def test_another_orgs_promise_is_not_found(world: ServiceWorld) -> None:
    promise = promise_of(world, world.begin(approval, "k"))
    for name in (promise, "key:k"):
        call = partial(promises.resolve, world.services, OrgId("other"), name, None)
        assert refusal(call) == (404, "PROMISE_NOT_FOUND")


def test_a_promise_that_was_open_at_the_end_cannot_be_settled(world: ServiceWorld) -> None:
    execution = world.begin(abandons)
    [task] = world.claim()
    world.complete(task)
    world.settle()
    assert refusal(lambda: resolve(world, promise_of(world, execution))) == (409, "EXECUTION_CLOSED")
