"""`Authorizer`: a credential or a stream ticket to an API Gateway policy (law 10). Every way this can end but three denies.

It also says with which usage key the request is counted: the org's own, or the one that orgs without one share.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from flowstrand.errors import ConfigurationError, StoreUnavailable, Unauthenticated
from flowstrand.http.access_policy import allow_org, allow_route, api_url
from flowstrand.http.authentication import authorizer_context, expired_ticket_context, ticket_context
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.callers.callers import Callers
from flowstrand.service.callers.usage_keys import UsageKeys
from flowstrand.service.tickets import StreamTickets, TicketExpired

TICKET = "ticket"
"""The query parameter that holds one."""
_READING = ("GET", "HEAD")


class Authorizer:
    """Identifies callers by `Authorization: Bearer …`, or where there is no such header by `?ticket=`. Neither is ever logged."""

    def __init__(
        self, callers: Callers, tickets: Callable[[], StreamTickets], usage_keys: UsageKeys | None = None
    ) -> None:
        """The tickets are asked for at each request that has one. Without usage keys nobody is counted."""
        self._callers = callers
        self._tickets = tickets
        self._usage_keys = usage_keys
        self._logger = logging.getLogger("flowstrand.authorizer")

    def policy_for(self, event: Mapping[str, Any]) -> JsonObject:
        """The policy that lets the caller through, with who they are as its context.

        A credential reaches the routes of its org. A ticket reaches the one route that was asked for, where the handler holds it
        against what is to be read; so does one that has expired, for no more than to be told so.

        Raises:
            Exception: nobody we know; the message `Unauthorized` is what API Gateway turns into 401.
            StoreUnavailable: it could not be found out; API Gateway answers 503, and clients repeat it.
        """
        try:
            return self._policy(event)
        except StoreUnavailable as error:
            self._logger.warning("denied, since nobody could say who it is: %s", error)
            raise StoreUnavailable("it cannot be found out who is calling", code=error.code) from None
        except Unauthenticated as error:
            self._logger.info("denied: %s", error)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody is let in
            # Without its message and its trace, which may hold what was presented.
            self._logger.error("denied, for a fault of ours: %s", _fault(error))  # noqa: TRY400
        raise Exception("Unauthorized")  # noqa: TRY002 - the only message that API Gateway answers with 401

    def _policy(self, event: Mapping[str, Any]) -> JsonObject:
        method_arn: str = event["methodArn"]
        authorizations = _authorizations(event)
        if authorizations:
            caller = self._callers.identify(_bearer(authorizations), api_url(method_arn))
            principal = f"{caller.org}/{caller.key_id}"
            return allow_org(
                method_arn,
                caller.org,
                principal=principal,
                context=authorizer_context(caller),
                usage_key=self._usage_key_of(caller.org),
            )
        return self._policy_for_ticket(method_arn, _ticket(event))

    def _policy_for_ticket(self, method_arn: str, text: str) -> JsonObject:
        try:
            ticket = self._tickets().read(text)
        except TicketExpired:
            shared = None if self._usage_keys is None else self._usage_keys.shared
            return allow_route(
                method_arn, principal="expired-ticket", context=expired_ticket_context(), usage_key=shared
            )
        self._callers.vouch_for(ticket)
        principal = f"{ticket.org}/{ticket.key_id}"
        return allow_route(
            method_arn,
            principal=principal,
            context=ticket_context(ticket),
            usage_key=self._usage_key_of(ticket.org),
        )

    def _usage_key_of(self, org: str) -> str | None:
        return None if self._usage_keys is None else self._usage_keys.of(org)


def _fault(error: Exception) -> str:
    """What may be logged of an error: a message that is ours and tells of settings, or else the kind of error and where it arose."""
    if isinstance(error, ConfigurationError):
        return error.message
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = "" if at is None else f" at {at.tb_frame.f_code.co_filename}:{at.tb_lineno}"
    return f"{type(error).__name__}{place}"


def _authorizations(event: Mapping[str, Any]) -> list[str]:
    """Every `Authorization` header."""
    many = event.get("multiValueHeaders") or {}
    single = event.get("headers") or {}
    headers = many or {name: [value] for name, value in single.items()}
    return [value for name, values in headers.items() if name.lower() == "authorization" for value in values]


def _bearer(authorizations: list[str]) -> str:
    """The credential of a bearer.

    Raises:
        Unauthenticated: there is more than one header, or it is not a bearer's.
    """
    scheme, _, credential = authorizations[0].strip().partition(" ")
    if len(authorizations) != 1 or scheme.lower() != "bearer" or not credential.strip():
        raise Unauthenticated("there is not exactly one bearer credential")
    return credential.strip()


def _ticket(event: Mapping[str, Any]) -> str:
    """The ticket of a reader.

    Raises:
        Unauthenticated: there is not exactly one, or nothing is read with it.
    """
    many = event.get("multiValueQueryStringParameters") or {}
    given = many.get(TICKET) or []
    if event.get("httpMethod") not in _READING or len(given) != 1 or not given[0]:
        raise Unauthenticated("there is neither a credential nor a ticket to read with")
    ticket: str = given[0]
    return ticket
