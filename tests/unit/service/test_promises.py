"""S7: promises settled from outside, once: by id, by key, or by their timeout."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import ErrorInfo
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Conflict, NotFound, PayloadTooLarge, PromiseRejected, PromiseTimeout
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import executions
from flowstrand.service.cancel import cancel
from flowstrand.service.promises import Settled, reject, resolve
from tests.unit.service.service_world import ORG, ServiceWorld, kill

ERROR = ErrorInfo(type="Denied", message="no")
NEVER = "01JD0000000000000000000000.p1"


async def asks(driver: Driver, input: JsonValue) -> JsonValue:
    """Awaits a promise with the key that is its input, for ten minutes."""
    key = input if isinstance(input, str) else None
    try:
        return await driver.create_promise("approval", key=key, timeout_at_ms=driver.now_ms + 600_000)
    except PromiseRejected as rejected:
        return f"rejected: {rejected.error_type}"
    except PromiseTimeout:
        return "timed out"


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def output(world: ServiceWorld, execution: str) -> JsonValue:
    world.settle()
    return executions.get(world.services, ORG, execution).output


def test_a_promise_is_resolved_by_its_id(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    assert resolve(world.services, ORG, f"{execution}.p1", {"ok": True}) == Settled(
        sequence=4, already_settled=False
    )
    assert output(world, execution) == {"ok": True}


def test_a_promise_is_rejected(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    assert reject(world.services, ORG, f"{execution}.p1", ERROR) == Settled(sequence=4, already_settled=False)
    assert output(world, execution) == "rejected: Denied"


def test_the_first_settles_and_every_repetition_is_told_so(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    resolve(world.services, ORG, f"{execution}.p1", 1)
    repeated = Settled(sequence=4, already_settled=True)
    assert resolve(world.services, ORG, f"{execution}.p1", 1) == repeated
    assert reject(world.services, ORG, f"{execution}.p1", ERROR) == repeated
    assert output(world, execution) == 1
    assert resolve(world.services, ORG, f"{execution}.p1", 2) == repeated
    assert world.tally(execution, "PROMISE_RESOLVED") == 1


def test_a_repetition_wakes_the_execution_again(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    world.seam.before("control.send", kill)
    with pytest.raises(BaseException):  # noqa: B017 - the process dies between the append and the wake
        resolve(world.services, ORG, f"{execution}.p1", 1)
    world.restart()
    resolve(world.services, ORG, f"{execution}.p1", 1)
    assert output(world, execution) == 1


def test_a_promise_times_out_once_at_its_moment(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    world.jump(599_999)
    assert world.tally(execution, "PROMISE_TIMED_OUT") == 0
    world.jump(1)
    assert output(world, execution) == "timed out"
    answer = resolve(world.services, ORG, f"{execution}.p1", 1)
    assert answer == Settled(sequence=4, already_settled=True)


def test_a_settled_promise_does_not_time_out(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    resolve(world.services, ORG, f"{execution}.p1", 1)
    world.jump(600_000)
    assert world.tally(execution, "PROMISE_TIMED_OUT") == 0


def test_a_promise_that_its_execution_ended_without_is_refused(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    cancel(world.services, ORG, execution, force=True)
    with pytest.raises(Conflict) as refused:
        resolve(world.services, ORG, f"{execution}.p1", 1)
    assert refused.value.code == "EXECUTION_CLOSED"


@pytest.mark.parametrize("name", [NEVER, "nonsense", "key:nobody", "", "key:"])
def test_an_unknown_promise_is_not_found(world: ServiceWorld, name: str) -> None:
    with pytest.raises(NotFound) as refused:
        resolve(world.services, ORG, name, 1)
    assert refused.value.code == "PROMISE_NOT_FOUND"


def test_what_is_no_promise_of_a_known_execution_is_not_found(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    for name in (f"{execution}.p2", f"{execution}.t1", execution):
        with pytest.raises(NotFound):
            resolve(world.services, ORG, name, 1)


def test_a_value_that_is_too_large_settles_nothing(world: ServiceWorld) -> None:
    execution = world.begin(asks)
    with pytest.raises(PayloadTooLarge):
        resolve(world.services, ORG, f"{execution}.p1", "x" * (1 << 20))
    assert world.tally(execution, "PROMISE_RESOLVED") == 0


# --- keys ---------------------------------------------------------------------------------------


def test_a_promise_is_settled_by_its_key(world: ServiceWorld) -> None:
    execution = world.begin(asks, "order/7")
    assert not resolve(world.services, ORG, "key:order/7", "yes").already_settled
    assert output(world, execution) == "yes"
    assert resolve(world.services, ORG, "key:order/7", "again") == Settled(sequence=4, already_settled=True)


def test_a_key_is_its_first_promises_for_as_long_as_that_is_open(world: ServiceWorld) -> None:
    first, second = world.begin(asks, "k"), world.begin(asks, "k")
    resolve(world.services, ORG, "key:k", 1)
    assert output(world, first) == 1
    assert executions.get(world.services, ORG, second).status == "WAITING"


def test_the_next_promise_gets_the_key_of_one_that_is_settled(world: ServiceWorld) -> None:
    world.begin(asks, "k")
    resolve(world.services, ORG, "key:k", 1)
    second = world.begin(asks, "k")
    assert resolve(world.services, ORG, "key:k", 2) == Settled(sequence=4, already_settled=False)
    assert output(world, second) == 2


def test_the_next_promise_gets_the_key_of_one_whose_execution_has_ended(world: ServiceWorld) -> None:
    cancel(world.services, ORG, world.begin(asks, "k"), force=True)
    second = world.begin(asks, "k")
    resolve(world.services, ORG, "key:k", 2)
    assert output(world, second) == 2


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_crash_while_a_key_is_published_leaves_it_published(world: ServiceWorld, side: str) -> None:
    execution = world.start(asks, "k")
    getattr(world.seam, side)("directory.put", kill)
    world.die()
    world.jump(60_000)
    resolve(world.services, ORG, "key:k", 1)
    assert output(world, execution) == 1
