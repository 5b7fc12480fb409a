"""Which usage key API Gateway is told to count a request with: at every answer that lets somebody through, and never by a client's word."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.aws import caller_composition
from flowstrand.errors import StoreUnavailable
from flowstrand.http.authorizer import Authorizer
from flowstrand.service.callers import usage_keys
from flowstrand.service.callers.callers import Callers
from flowstrand.service.callers.usage_keys import UsageKey, UsageKeys
from flowstrand.service.tickets import Readable, Scope, StreamTickets, Ticket
from tests.functions.stack import ACME, NOW_MS, OTHER_KEY, TICKET_SECRET, Stack, StillClock, sample

SHARED, OWN = "5" * 32, "a" * 64
_TICKET_S = 60


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def tickets(clock: StillClock) -> StreamTickets:
    return StreamTickets(TICKET_SECRET, clock)


@pytest.fixture
def authorizer(stack: Stack, clock: StillClock, tickets: StreamTickets) -> Authorizer:
    directory = stack.services.directory
    usage_keys.record(directory, UsageKey(org=ACME, value=OWN, key_id="k", plan_id="p", created_at_ms=NOW_MS))
    callers = Callers(lambda: directory, lambda: None, lambda: None)
    return Authorizer(callers, lambda: tickets, UsageKeys(lambda: directory, SHARED, clock))


def of_ticket(tickets: StreamTickets) -> dict[str, Any]:
    scope = Scope(of=Readable.FEED)
    ticket = tickets.sign(Ticket(org=ACME, scope=scope, key_id="jwt_1", expires_at_ms=tickets.until(_TICKET_S)))
    event = sample("authorizer/user-key")
    return {
        **event,
        "httpMethod": "GET",
        "headers": {},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": {"ticket": [ticket]},
    }


def test_an_org_is_counted_with_its_own_key(authorizer: Authorizer) -> None:
    assert authorizer.policy_for(sample("authorizer/user-key"))["usageIdentifierKey"] == OWN


def test_an_org_without_one_is_counted_with_the_shared_key(authorizer: Authorizer) -> None:
    event = sample("authorizer/user-key")
    event["multiValueHeaders"]["Authorization"] = [f"Bearer {OTHER_KEY}"]
    assert authorizer.policy_for(event)["usageIdentifierKey"] == SHARED


def test_a_client_cannot_say_whom_it_is_counted_with(authorizer: Authorizer) -> None:
    event = sample("authorizer/user-key")
    event["multiValueHeaders"]["x-api-key"] = [SHARED]
    event["requestContext"] = {**event.get("requestContext", {}), "identity": {"apiKey": SHARED}}
    assert authorizer.policy_for(event)["usageIdentifierKey"] == OWN


def test_who_reads_with_a_ticket_is_counted_with_the_org(
    authorizer: Authorizer, tickets: StreamTickets, clock: StillClock
) -> None:
    event = of_ticket(tickets)
    assert authorizer.policy_for(event)["usageIdentifierKey"] == OWN
    clock.sleep_ms(3_600_000)
    expired = authorizer.policy_for(event)
    assert (expired["principalId"], expired["usageIdentifierKey"]) == ("expired-ticket", SHARED)


def test_where_it_cannot_be_found_out_nobody_is_let_through_for_now(
    authorizer: Authorizer, stack: Stack, tickets: StreamTickets, clock: StillClock
) -> None:
    def unavailable() -> Any:
        raise StoreUnavailable("throttled")

    callers = Callers(lambda: stack.services.directory, lambda: None, lambda: None)
    with pytest.raises(StoreUnavailable):
        Authorizer(callers, lambda: tickets, UsageKeys(unavailable, SHARED, clock)).policy_for(
            sample("authorizer/user-key")
        )


def test_without_a_shared_key_nobody_is_counted(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "usageIdentifierKey" not in stack.invoke("authorizer", sample("authorizer/user-key"))
    monkeypatch.setenv("FLOWSTRAND_SHARED_USAGE_KEY", " ")
    assert caller_composition.usage_keys() is None
    monkeypatch.setenv("FLOWSTRAND_SHARED_USAGE_KEY", SHARED)
    keys = caller_composition.usage_keys()
    assert keys is not None
    assert keys.shared == SHARED
