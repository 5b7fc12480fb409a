"""Rotating what stream tickets are signed with: no ticket that is under way is lost, and none of the secret before the last is good."""

from __future__ import annotations

import pytest

from flowstrand.aws.settings import Resources
from flowstrand.aws.ticket_secret import stream_tickets
from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError, StoreUnavailable, Unauthenticated
from flowstrand.service.signing import FixedSecrets
from flowstrand.service.tickets import NoStreamTickets, Readable, Scope, StreamTickets, Ticket, TicketExpired
from tests.unit.manual_clock import ManualClock
from tests.unit.test_aws_composition import NEW, NEWER, SECRET, Secrets, names

KEPT: Resources = names(ticket_secret_arn="arn:secret")


def made(secrets: Secrets, clock: ManualClock) -> StreamTickets:
    return stream_tickets(KEPT, lambda: secrets, clock)


def ticket(tickets: StreamTickets) -> Ticket:
    return Ticket(
        org=OrgId("acme"), scope=Scope(of=Readable.FEED), key_id="key_1", expires_at_ms=tickets.until(900)
    )


def reads(tickets: StreamTickets, text: str) -> bool:
    try:
        return tickets.read(text).key_id == "key_1"
    except Unauthenticated:
        return False


def test_tickets_are_good_across_a_rotation_in_processes_old_and_new() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    old = made(secrets, clock)
    before = old.sign(ticket(old))
    secrets.rotate(NEW)
    new = made(secrets, clock)
    after = new.sign(ticket(new))
    assert [reads(new, before), reads(old, after), reads(old, before), reads(new, after)] == [True] * 4
    assert reads(StreamTickets(NEW, clock), old.sign(ticket(old)))


def test_tickets_of_two_rotations_ago_are_good_no_more() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    old = made(secrets, clock)
    text = old.sign(ticket(old))
    secrets.rotate(NEW)
    secrets.rotate(NEWER)
    assert not reads(made(secrets, clock), text)


def test_who_only_signs_hears_of_a_rotation_in_ten_minutes() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    tickets = made(secrets, clock)
    secrets.rotate(NEW)
    assert reads(StreamTickets(SECRET, clock), tickets.sign(ticket(tickets)))
    clock.advance(600_000)
    assert reads(StreamTickets(NEW, clock), tickets.sign(ticket(tickets)))


def test_made_up_and_expired_tickets_do_not_have_the_secret_read_at_will() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    tickets = made(secrets, clock)
    text = tickets.sign(ticket(tickets))
    clock.advance(900_000)
    with pytest.raises(TicketExpired):
        tickets.read(text)
    assert secrets.reads == 1
    assert [reads(tickets, "made up") for _ in range(20)] == [False] * 20
    assert secrets.reads == 1 + 2


def test_an_expired_ticket_of_the_secret_before_is_expired_rather_than_nothing() -> None:
    clock = ManualClock()
    old = StreamTickets(SECRET, clock)
    text = old.sign(ticket(old))
    clock.advance(900_000)
    with pytest.raises(TicketExpired):
        StreamTickets(FixedSecrets(NEW, [SECRET]), clock).read(text)


def test_a_secret_may_come_from_the_environment_or_not_at_all() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    given = stream_tickets(names(ticket_secret=SECRET), lambda: secrets, clock)
    assert reads(made(secrets, clock), given.sign(ticket(given)))
    assert isinstance(stream_tickets(names(), lambda: secrets, clock), NoStreamTickets)
    with pytest.raises(ConfigurationError, match="32 bytes"):
        made(Secrets("short"), clock)
    secrets.is_away = True
    with pytest.raises(StoreUnavailable, match="ticket secret"):
        made(secrets, clock)
