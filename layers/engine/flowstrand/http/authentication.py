"""Who is calling, and whether they may (law 10). The authorizer has identified the key or the ticket; its word is all that counts here.

Fails closed: without a complete identity in the request context there is no caller, however the request got here. What the
authorizer tells of a ticket is no identity: only `authorize_reader` takes it, so no route can forget to look at its scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.errors import NotFound, Unauthenticated, WrongPrincipal
from flowstrand.jsonvalue import JsonObject
from flowstrand.observability import correlation
from flowstrand.service.keys import Identity, Principal, identity
from flowstrand.service.tickets import Scope, Ticket, TicketExpired


def authorizer_context(caller: Identity) -> JsonObject:
    """What the authorizer tells handlers about the caller: strings only, as API Gateway requires."""
    return {"org": caller.org, "principals": ",".join(sorted(caller.principals)), "keyId": caller.key_id}


def ticket_context(ticket: Ticket) -> JsonObject:
    """What the authorizer tells handlers about the bearer of a ticket."""
    return {"ticketOrg": ticket.org, "ticketScope": str(ticket.scope), "keyId": ticket.key_id}


def expired_ticket_context() -> JsonObject:
    """What it tells of a ticket whose time has passed: nothing but that, so that a handler can say so."""
    return {"ticket": "expired"}


def identity_of(event: Mapping[str, Any]) -> Identity:
    """The caller of an API Gateway proxy event.

    Raises:
        Unauthenticated: the event holds no identity, or not a whole one.
    """
    context = _context(event)
    org, principals, key_id = (context.get(name) for name in ("org", "principals", "keyId"))
    if not (isinstance(org, str) and isinstance(principals, str) and isinstance(key_id, str)):
        raise Unauthenticated("a credential is required")
    caller = identity(org, principals.split(","), key_id=key_id)
    if caller is None:
        raise Unauthenticated("a credential is required")
    return caller


def authorize(event: Mapping[str, Any], *, org: str, principal: Principal) -> Identity:
    """The caller of `event`, who may act on `org` as `principal`.

    Raises:
        Unauthenticated: nobody is calling.
        NotFound: the caller belongs to another org, whose existence is not told.
        WrongPrincipal: the key may not do this.
    """
    caller = identity_of(event)
    if caller.org != org:
        raise NotFound("there is nothing here")
    correlation.note(org=org)
    if principal not in caller.principals:
        raise WrongPrincipal(f"this takes a key for the principal {principal.value!r}")
    return caller


def authorize_reader(event: Mapping[str, Any], *, org: str, scope: Scope) -> Identity:
    """The caller of `event`, who may read `scope` in `org`: a user's key, or a ticket for just that.

    Raises:
        Unauthenticated: nobody is calling, or the ticket's time has passed (`TICKET_EXPIRED`).
        NotFound: the caller belongs to another org, whose existence is not told.
        WrongPrincipal: the key may not do this, or the ticket is for something else (`TICKET_OUT_OF_SCOPE`).
    """
    context = _context(event)
    if context.get("ticket") == "expired":
        raise TicketExpired("the ticket has expired; ask for another")
    if "ticketScope" not in context:
        return authorize(event, org=org, principal=Principal.USER)
    of, covered, key_id = (context.get(name) for name in ("ticketOrg", "ticketScope", "keyId"))
    caller = identity(str(of), [Principal.USER], key_id=str(key_id))
    if caller is None:
        raise Unauthenticated("a credential is required")
    if caller.org != org:
        raise NotFound("there is nothing here")
    correlation.note(org=org)
    if covered != str(scope):
        raise WrongPrincipal("this ticket is for something else", code="TICKET_OUT_OF_SCOPE")
    return caller


def _context(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the authorizer said.

    Raises:
        Unauthenticated: nothing.
    """
    context = (event.get("requestContext") or {}).get("authorizer")
    if not isinstance(context, Mapping):
        raise Unauthenticated("a credential is required")
    return context
