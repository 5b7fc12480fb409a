"""Usage keys of orgs: joined and left in an order in which no caller is refused, wherever it is broken off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

import pytest

from flowstrand.directory.port import Item
from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.errors import ConfigurationError, InvalidInput, NotFound, OperatorError
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.operations import usage
from flowstrand.operations.checks import usage as check
from flowstrand.operations.place import Place, stack_place
from flowstrand.operations.stack import Clients, StackNames
from flowstrand.operations.usage import REMEMBERED_MS
from flowstrand.operations.usage_plans import DayOfUse
from flowstrand.service.callers import usage_keys
from flowstrand.service.callers.usage_keys import UsageKey
from tests.unit.manual_clock import ManualClock
from tests.unit.operations.metered import Authorizer, Died, Gateway, metered, plan, plans_of

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


class MortalDirectory(SqliteDirectory):
    """One whose process may die before it changes anything, as API Gateway's client does."""

    gateway: Gateway

    def put(
        self,
        partition: str,
        key: str,
        data: JsonObject,
        *,
        expect: int | None = None,
        expires_at_ms: int | None = None,
    ) -> Item:
        self.gateway.die_now()
        return super().put(partition, key, data, expect=expect, expires_at_ms=expires_at_ms)

    def delete(self, partition: str, key: str, *, expect: int | None = None) -> None:
        self.gateway.die_now()
        super().delete(partition, key, expect=expect)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def world(clients: Clients, clock: ManualClock) -> tuple[Place, Gateway]:
    names = StackNames(log_table="l", directory_table="d", payload_bucket="p", functions={})
    place, gateway = metered(stack_place(names, clients, title="the stack"))
    directory = MortalDirectory(SqliteDatabase.in_memory())
    directory.gateway = gateway
    return replace(place, services=replace(place.services, directory=directory, clock=clock)), gateway


def recorded(place: Place) -> UsageKey | None:
    return usage_keys.read(place.services.directory, "acme")


def plan_of_orgs(place: Place) -> str:
    assert place.stack is not None
    assert place.stack.names.org_usage_plan_id is not None
    return place.stack.names.org_usage_plan_id


def found(place: Place) -> list[tuple[str, str]]:
    assert place.stack is not None
    (probe,) = check.probes(place.stack, place.services.directory)
    return [(finding.code, finding.subject) for finding in probe.look()]


def leave(place: Place, clock: ManualClock) -> str:
    return usage.leave(place, "acme", lambda seconds: clock.advance(round(seconds * 1_000)))


def never(seconds: float) -> None:
    """Nothing is to be waited for."""
    raise AssertionError(seconds)


def test_an_enrolled_org_has_a_key_in_the_stacks_plan(world: tuple[Place, Gateway]) -> None:
    place, gateway = world
    key = usage.enroll(place, "acme", None)
    assert key == recorded(place)
    assert plans_of(gateway)[plan_of_orgs(place)] == {key.key_id}
    client: Any = gateway.moto
    made = client.get_api_key(apiKey=key.key_id, includeValue=True)
    assert (made["value"], made["enabled"]) == (key.value, True)
    assert 20 <= len(key.value) <= 128
    assert key.value.isalnum()
    assert found(place) == []


def test_enrolling_again_changes_nothing(world: tuple[Place, Gateway], clock: ManualClock) -> None:
    place, gateway = world
    key = usage.enroll(place, "acme", None)
    before = plans_of(gateway)
    clock.advance(1_000)
    assert (usage.enroll(place, "acme", None), plans_of(gateway)) == (key, before)


def test_orgs_whose_names_begin_alike_have_keys_of_their_own(world: tuple[Place, Gateway]) -> None:
    place, _ = world
    longer, shorter = usage.enroll(place, "acme-eu", None), usage.enroll(place, "acme", None)
    assert longer.key_id != shorter.key_id
    assert usage.every(place) == [shorter, longer]


def test_an_org_moves_to_another_plan_and_stays_there(world: tuple[Place, Gateway]) -> None:
    place, gateway = world
    gold = plan(gateway, "gold")
    usage.enroll(place, "acme", None)
    key = usage.enroll(place, "acme", gold)
    assert usage.enroll(place, "acme", None) == key
    plans = plans_of(gateway)
    assert (key.plan_id, plans[gold], plans[plan_of_orgs(place)]) == (gold, {key.key_id}, set())


@pytest.mark.parametrize("api", [None, "zzzzzzzzzz"])
def test_a_plan_that_is_not_the_apis_is_refused_before_anything_is_made(
    world: tuple[Place, Gateway], api: str | None
) -> None:
    place, gateway = world
    wrong = "nothing" if api is None else plan(gateway, "wrong", api=api)
    with pytest.raises(OperatorError) as refused:
        usage.enroll(place, "acme", wrong)
    assert refused.value.code == ("USAGE_PLAN_NOT_FOUND" if api is None else "USAGE_PLAN_OF_ANOTHER_API")
    assert recorded(place) is None
    with pytest.raises(NotFound):
        usage.leave(place, "acme", never)


def test_what_is_no_org_is_not_enrolled(world: tuple[Place, Gateway]) -> None:
    with pytest.raises(InvalidInput):
        usage.enroll(world[0], "a/b", None)


def test_an_org_that_leaves_keeps_its_key_until_nobody_remembers_it(
    world: tuple[Place, Gateway], clock: ManualClock
) -> None:
    place, gateway = world
    key, began_ms = usage.enroll(place, "acme", None), clock.now_ms()
    waited: list[float] = []

    def pause(seconds: float) -> None:
        now = recorded(place)
        assert now is not None
        assert now.left_at_ms == began_ms
        assert plans_of(gateway)[plan_of_orgs(place)] == {key.key_id}
        waited.append(seconds)
        clock.advance(round(seconds * 1_000))

    assert usage.leave(place, "acme", pause) == key.key_id
    assert waited == [REMEMBERED_MS / 1_000]
    assert (recorded(place), plans_of(gateway)[plan_of_orgs(place)]) == (None, set())
    with pytest.raises(NotFound):
        usage.leave(place, "acme", pause)


def test_a_leaving_that_was_broken_off_goes_on_without_waiting_again(
    world: tuple[Place, Gateway], clock: ManualClock
) -> None:
    place, _ = world
    usage.enroll(place, "acme", None)

    def broken_off(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        usage.leave(place, "acme", broken_off)
    clock.advance(REMEMBERED_MS)
    usage.leave(place, "acme", never)
    assert recorded(place) is None


def test_an_org_that_is_enrolled_while_it_leaves_stays(world: tuple[Place, Gateway], clock: ManualClock) -> None:
    place, gateway = world
    usage.enroll(place, "acme", None)

    def pause(seconds: float) -> None:
        clock.advance(round(seconds * 1_000))
        usage.enroll(place, "acme", None)

    with pytest.raises(OperatorError) as refused:
        usage.leave(place, "acme", pause)
    assert refused.value.code == "USAGE_KEY_CHANGED"
    now = recorded(place)
    assert now is not None
    assert (now.left_at_ms, plans_of(gateway)[plan_of_orgs(place)]) == (None, {now.key_id})


def test_a_process_may_die_before_any_change_and_never_leaves_a_record_without_a_key(
    world: tuple[Place, Gateway], clock: ManualClock
) -> None:
    place, gateway = world
    deaths = 0
    for at in count():
        gateway.dies_before = at
        try:
            usage.enroll(place, "acme", None)
            leave(place, clock)
        except Died:
            deaths += 1
        else:
            break
        gateway.dies_before = None
        assert found(place) == []
        key = usage.enroll(place, "acme", None)
        assert (recorded(place), plans_of(gateway)[plan_of_orgs(place)]) == (key, {key.key_id})
        leave(place, clock)
        assert (recorded(place), plans_of(gateway)[plan_of_orgs(place)]) == (None, set())
    assert deaths == 7  # made, put in, recorded; said to leave, taken out, deleted, forgotten


def test_leaving_clears_away_what_was_never_recorded(world: tuple[Place, Gateway]) -> None:
    place, gateway = world
    gateway.dies_before = 2
    with pytest.raises(Died):
        usage.enroll(place, "acme", None)
    gateway.dies_before = None
    usage.leave(place, "acme", never)
    assert plans_of(gateway)[plan_of_orgs(place)] == set()


def test_what_was_counted_is_told_by_day(world: tuple[Place, Gateway]) -> None:
    place, gateway = world
    key = usage.enroll(place, "acme", None)
    gateway.used[key.plan_id, key.key_id] = [[7, 993], [0, 993]]
    assert usage.of_org(place, "acme", None, FIRST, LAST) == [
        DayOfUse(day=date(2026, 11, 1), requests=7, remaining=993),
        DayOfUse(day=date(2026, 11, 2), requests=0, remaining=993),
    ]
    assert [request["startDate"] for request in gateway.asked] == ["2026-11-01", "2026-11-01"]


def test_where_a_plan_has_no_quota_nothing_remains_of_it(world: tuple[Place, Gateway]) -> None:
    place, gateway = world
    assert place.stack is not None
    names = place.stack.names
    gateway.used[str(names.shared_usage_plan_id), str(names.shared_usage_key_id)] = [[5, 12]]
    assert usage.shared(place, FIRST, LAST) == [DayOfUse(day=FIRST, requests=5, remaining=None)]


@pytest.mark.parametrize("first", [date(2026, 12, 1), date(2026, 8, 31)])
def test_no_more_days_are_asked_for_than_are_told(world: tuple[Place, Gateway], first: date) -> None:
    place, _ = world
    usage.enroll(place, "acme", None)
    with pytest.raises(OperatorError) as refused:
        usage.of_org(place, "acme", None, first, LAST)
    assert refused.value.code == "USAGE_RANGE"


def test_an_org_without_a_key_has_no_count_of_its_own(world: tuple[Place, Gateway]) -> None:
    with pytest.raises(NotFound):
        usage.of_org(world[0], "acme", None, FIRST, LAST)


def test_a_place_whose_plans_are_not_known_has_none(world: tuple[Place, Gateway]) -> None:
    place, _ = world
    assert place.stack is not None
    nameless = replace(place, stack=replace(place.stack, names=replace(place.stack.names, api_id=None)))
    for elsewhere in (nameless, replace(place, stack=None)):
        with pytest.raises(ConfigurationError):
            usage.every(elsewhere)
    assert nameless.stack is not None
    assert list(check.probes(nameless.stack, place.services.directory)) == []


def test_the_doctor_finds_keys_that_cannot_count(world: tuple[Place, Gateway]) -> None:
    place, gateway = world
    assert place.stack is not None
    client: Any = gateway.moto
    keys = {org: usage.enroll(place, org, None) for org in ("deleted", "disabled", "unplanned", "whole")}
    client.delete_api_key(apiKey=keys["deleted"].key_id)
    client.update_api_key(
        apiKey=keys["disabled"].key_id, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]
    )
    gateway.delete_usage_plan_key(usagePlanId=plan_of_orgs(place), keyId=keys["unplanned"].key_id)
    gateway.delete_usage_plan_key(
        usagePlanId=str(place.stack.names.shared_usage_plan_id), keyId=str(place.stack.names.shared_usage_key_id)
    )
    assert found(place) == [
        ("USAGE_KEY_MISSING", "org deleted"),
        ("USAGE_KEY_DISABLED", "org disabled"),
        ("USAGE_KEY_UNPLANNED", "org unplanned"),
        ("USAGE_KEY_UNPLANNED", "SharedUsageKey"),
    ]
    nameless = replace(place.stack.clients, functions=Authorizer(""))
    assert ("USAGE_KEY_MISSING", "SharedUsageKey") in found(
        replace(place, stack=replace(place.stack, clients=nameless))
    )
    usage.enroll(place, "deleted", None)
    usage.enroll(place, "unplanned", None)
    assert [code for code, subject in found(place) if subject.startswith("org")] == ["USAGE_KEY_DISABLED"]
