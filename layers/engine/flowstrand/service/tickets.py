"""Stream tickets: what a browser shows where it cannot send a header. For one org, for one thing to read, and soon over.

A ticket is part of a URL, so it is to be worth little: it reads what it was made for and does nothing else, whatever the key may do
that it was made with.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError, Unauthenticated
from flowstrand.service.clock import Clock
from flowstrand.service.signing import FixedSecrets, SigningSecrets, read_with

MIN_TTL_S, DEFAULT_TTL_S, MAX_TTL_S = 60, 300, 900

_ALGORITHM = "HS256"
_AUDIENCE = "flowstrand:stream"
"""Keeps other tokens of ours from being taken for tickets, whatever they are signed with."""
_CLAIMS = ["aud", "exp", "org", "scope", "key"]


class Readable(StrEnum):
    """What a ticket can be for."""

    EXECUTION = "execution"
    """A workflow execution: its log, alone or consolidated with its descendants', over every transport."""
    TASK = "task"
    """A standalone task's log."""
    FEED = "feed"
    """The org's feed."""
    CHANNEL = "channel"
    """A channel of the org."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One thing to read. A ticket covers what has an equal scope.

    Attributes:
        id: which one; None of what there is only one of.
    """

    of: Readable
    id: str | None = None

    def __str__(self) -> str:
        return self.of.value if self.id is None else f"{self.of.value}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The scope that `str` wrote.

        Raises:
            ValueError: it did not write this.
        """
        name, separator, id = text.partition(":")
        return cls(of=Readable(name), id=id if separator else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a ticket says.

    Attributes:
        key_id: names the key that it was made with; for logs.
    """

    org: OrgId
    scope: Scope
    key_id: str
    expires_at_ms: int


class TicketExpired(Unauthenticated):
    """The ticket is one of ours, and its time has passed."""

    code = "TICKET_EXPIRED"


class StreamTickets:
    """Signs and reads tickets (JWT, HS256)."""

    def __init__(self, secrets: str | SigningSecrets, clock: Clock) -> None:
        """`secrets` are at least 32 bytes each, the same in every process of a stack; a text is one that stays."""
        self._secrets = FixedSecrets(secrets) if isinstance(secrets, str) else secrets
        self._clock = clock

    def until(self, ttl_s: int) -> int:
        """When a ticket ends that is made now, in epoch milliseconds: a whole second."""
        return (self._clock.now_ms() // 1_000 + ttl_s) * 1_000

    def sign(self, ticket: Ticket) -> str:
        """The ticket as clients pass it on."""
        claims = {
            "aud": _AUDIENCE,
            "exp": ticket.expires_at_ms // 1_000,
            "org": ticket.org,
            "scope": str(ticket.scope),
            "key": ticket.key_id,
        }
        import jwt  # here, because every function knows of tickets and few have to do with one

        return jwt.encode(claims, self._secrets.to_sign(), algorithm=_ALGORITHM)

    def read(self, text: str) -> Ticket:
        """What `text` says, if we signed it and its time has not passed.

        Raises:
            TicketExpired: its time has passed.
            Unauthenticated: it is none of ours.
        """
        ticket = read_with(self._secrets, lambda secret: _signed_with(secret, text))
        if ticket is None:
            raise Unauthenticated("this is not a ticket")
        if ticket.expires_at_ms <= self._clock.now_ms():
            raise TicketExpired("the ticket has expired; ask for another")
        return ticket


def _signed_with(secret: str, text: str) -> Ticket | None:
    """What `text` says, if it is a ticket and was signed with this secret."""
    import jwt

    try:
        # The time is checked by the injected clock.
        claims = jwt.decode(
            text,
            secret,
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            options={"require": _CLAIMS, "verify_exp": False},
        )
        return Ticket(
            org=OrgId(claims["org"]),
            scope=Scope.parse(claims["scope"]),
            key_id=claims["key"],
            expires_at_ms=int(claims["exp"]) * 1_000,
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
        return None


class NoStreamTickets(StreamTickets):
    """Of a process that has no business with tickets: it neither signs one nor takes one for valid."""

    def __init__(self) -> None:
        """Without a secret, nothing could be signed."""

    def until(self, ttl_s: int) -> int:  # noqa: ARG002 - the base's
        """See `read`."""
        raise _unconfigured()

    def sign(self, ticket: Ticket) -> str:  # noqa: ARG002 - the base's
        """See `read`."""
        raise _unconfigured()

    def read(self, text: str) -> Ticket:  # noqa: ARG002 - the base's
        """Refuse.

        Raises:
            ConfigurationError: always.
        """
        raise _unconfigured()


def _unconfigured() -> ConfigurationError:
    return ConfigurationError("this function has no secret for tickets")
