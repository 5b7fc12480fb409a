"""What is asked for a stream ticket, and what is answered."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from flowstrand.engine.names import NAME_PATTERN, is_name
from flowstrand.engine.schema import rfc3339
from flowstrand.http.body import RequestBody
from flowstrand.http.response_body import ResponseBody
from flowstrand.service.ticketing import IssuedTicket
from flowstrand.service.tickets import DEFAULT_TTL_S, MAX_TTL_S, MIN_TTL_S, Readable, Scope

_MAX_ID = 512


class CreateTicket(RequestBody):
    """What the ticket is to be for: `id` names the execution, the standalone task or the channel; an org has but one feed."""

    scope: Annotated[
        Literal["execution", "task", "feed", "channel"], Field(description="What the ticket lets its bearer read.")
    ]
    id: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=_MAX_ID)] | None,
        Field(description=f"Which one; the name of a channel fits `{NAME_PATTERN}`. Not given for the feed."),
    ] = None
    ttl_seconds: Annotated[
        int,
        Field(ge=MIN_TTL_S, le=MAX_TTL_S, description="For how long it opens a stream; one that is open goes on."),
    ] = DEFAULT_TTL_S

    @model_validator(mode="after")
    def _names_what_it_is_for(self) -> Self:
        if (self.id is None) is not (self.scope == "feed"):
            raise ValueError("a ticket for a feed has no id, any other has one")
        if self.scope == "channel" and not is_name(str(self.id)):
            raise ValueError("no channel can be called so")
        return self

    def to_scope(self) -> Scope:
        """For the use case."""
        return Scope(of=Readable(self.scope), id=self.id)


class TicketIssued(ResponseBody):
    """A ticket, for `?ticket=`. Treat it as the secret that it is."""

    ticket: str
    scope: Readable
    id: str | None = None
    expires_at: str

    @classmethod
    def of(cls, issued: IssuedTicket) -> TicketIssued:
        """What `issued` holds."""
        scope = issued.ticket.scope
        optional = {} if scope.id is None else {"id": scope.id}
        expires_at = rfc3339(issued.ticket.expires_at_ms)
        return cls(ticket=issued.text, scope=scope.of, expires_at=expires_at, **optional)
