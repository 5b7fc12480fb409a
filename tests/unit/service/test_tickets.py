"""Stream tickets: what one says is what it was signed with, for as long as it lives, and nothing else is a ticket."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError, Conflict, Unauthenticated
from flowstrand.service.tickets import (
    MAX_TTL_S,
    MIN_TTL_S,
    NoStreamTickets,
    Readable,
    Scope,
    StreamTickets,
    Ticket,
    TicketExpired,
)
from flowstrand.service.tokens import Lease, LeaseTokens
from tests.unit.manual_clock import ManualClock

SECRET = "a secret of at least thirty-two bytes"
ORG = OrgId("acme")
IDS = st.none() | st.text(min_size=1)
SCOPES = st.builds(Scope, of=st.sampled_from(Readable), id=IDS)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tickets(clock: ManualClock) -> StreamTickets:
    return StreamTickets(SECRET, clock)


def ticket(tickets: StreamTickets, ttl_s: int = 300, scope: Scope | None = None) -> Ticket:
    scope = scope or Scope(of=Readable.EXECUTION, id="01X")
    return Ticket(org=ORG, scope=scope, key_id="key_1", expires_at_ms=tickets.until(ttl_s))


@given(scope=SCOPES, ttl_s=st.integers(MIN_TTL_S, MAX_TTL_S))
def test_a_ticket_says_what_it_was_signed_with(scope: Scope, ttl_s: int) -> None:
    tickets = StreamTickets(SECRET, ManualClock())
    signed = ticket(tickets, ttl_s, scope)
    assert tickets.read(tickets.sign(signed)) == signed


@given(SCOPES, SCOPES)
def test_scopes_are_written_alike_if_they_are_the_same(one: Scope, other: Scope) -> None:
    assert (str(one) == str(other)) is (one == other)
    assert Scope.parse(str(one)) == one


@pytest.mark.parametrize("text", ["", "org", "execution.1", ":x", "EXECUTION:1"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a valid Readable"):
        Scope.parse(text)


def test_a_ticket_lives_to_the_second_that_it_names(tickets: StreamTickets, clock: ManualClock) -> None:
    signed = ticket(tickets, 60)
    text = tickets.sign(signed)
    assert signed.expires_at_ms % 1_000 == 0
    clock.sleep_ms(signed.expires_at_ms - clock.now_ms() - 1)
    assert tickets.read(text) == signed
    clock.sleep_ms(1)
    with pytest.raises(TicketExpired) as refused:
        tickets.read(text)
    assert (refused.value.status, refused.value.code) == (401, "TICKET_EXPIRED")


def outcome(tickets: StreamTickets, text: str) -> Ticket | str:
    """What a ticket says, or the code of its refusal."""
    try:
        return tickets.read(text)
    except Unauthenticated as error:
        return error.code


@given(st.data())
def test_a_ticket_with_any_character_changed_is_none(data: st.DataObject) -> None:
    tickets = StreamTickets(SECRET, ManualClock())
    text = tickets.sign(ticket(tickets))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_.=~ \0é"))
    changed = text[:place] + other + text[place + 1 :]
    # The last bits of base 64 may say nothing.
    assert outcome(tickets, changed) in (Unauthenticated.code, tickets.read(text))


@given(st.text())
def test_text_is_no_ticket(text: str) -> None:
    with pytest.raises(Unauthenticated):
        StreamTickets(SECRET, ManualClock()).read(text)


def forged(**changes: Any) -> str:
    claims = {"aud": "flowstrand:stream", "exp": 9_999_999_999, "org": "acme", "scope": "feed", "key": "k"}
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(kept, SECRET, algorithm="HS256")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": None},
        {"aud": "flowstrand"},
        {"exp": None},
        {"exp": "soon"},
        {"org": None},
        {"scope": None},
        {"scope": "everything"},
        {"scope": 7},
        {"key": None},
    ],
    ids=str,
)
def test_what_lacks_a_part_is_no_ticket_however_well_signed(
    tickets: StreamTickets, changes: dict[str, Any]
) -> None:
    assert tickets.read(forged()).scope == Scope(of=Readable.FEED)
    with pytest.raises(Unauthenticated):
        tickets.read(forged(**changes))


def test_another_secret_signs_no_ticket_of_ours(tickets: StreamTickets, clock: ManualClock) -> None:
    theirs = StreamTickets("another secret of at least thirty-two bytes", clock)
    with pytest.raises(Unauthenticated):
        tickets.read(theirs.sign(ticket(theirs)))


def test_unsigned_is_no_ticket(tickets: StreamTickets) -> None:
    claims = jwt.decode(forged(), options={"verify_signature": False})
    with pytest.raises(Unauthenticated):
        tickets.read(jwt.encode(claims, "", algorithm="none"))


def test_a_lease_is_no_ticket_and_a_ticket_no_lease_even_under_one_secret(tickets: StreamTickets) -> None:
    leases = LeaseTokens(SECRET)
    with pytest.raises(Unauthenticated):
        tickets.read(leases.sign(Lease(org=ORG, task_id="t", attempt=1, sequence=1)))
    with pytest.raises(Conflict):
        leases.verify(tickets.sign(ticket(tickets)), org=ORG, task_id="t")


def test_without_a_secret_nothing_is_signed_and_nothing_taken(tickets: StreamTickets) -> None:
    none = NoStreamTickets()
    for use in (lambda: none.until(60), lambda: none.sign(ticket(tickets)), lambda: none.read(forged())):
        with pytest.raises(ConfigurationError):
            use()
