"""`Authorizer`: an API key or a stream ticket to an API Gateway policy (law 10). Every way this can end but two denies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from flowstrand.directory.port import Directory
from flowstrand.errors import StoreUnavailable, Unauthenticated
from flowstrand.http.authentication import authorizer_context, expired_ticket_context, ticket_context
from flowstrand.jsonvalue import JsonObject
from flowstrand.service import keys
from flowstrand.service.keys import Identity
from flowstrand.service.tickets import StreamTickets, TicketExpired

TICKET = "ticket"
"""The query parameter that holds one."""
_READING = ("GET", "HEAD")


class Authorizer:
    """Identifies callers by `Authorization: Bearer KEY`, or where there is no such header by `?ticket=`. Neither is ever logged."""

    def __init__(self, directory: Callable[[], Directory], tickets: Callable[[], StreamTickets]) -> None:
        """Both are asked at each request that needs them."""
        self._directory = directory
        self._tickets = tickets
        self._logger = logging.getLogger("flowstrand.authorizer")

    def policy_for(self, event: Mapping[str, Any]) -> JsonObject:
        """The policy that lets the caller through, with who they are as its context.

        A key reaches this stage of this API. A ticket reaches the one route that was asked for, where the handler holds it against
        what is to be read; so does one that has expired, for no more than to be told so.

        Raises:
            Exception: nobody we know; the message `Unauthorized` is what API Gateway turns into 401.
            StoreUnavailable: it could not be found out; API Gateway answers 500, which clients repeat.
        """
        try:
            policy = self._policy(event)
            if policy is not None:
                return policy
        except StoreUnavailable:
            self._logger.warning("the directory is unavailable: denied")
            raise
        except Unauthenticated:
            self._logger.info("a ticket was none of ours: denied")
        except Exception:
            self._logger.exception("a caller could not be identified: denied")
        raise Exception("Unauthorized")  # noqa: TRY002 - the only message that API Gateway answers with 401

    def _policy(self, event: Mapping[str, Any]) -> JsonObject | None:
        authorizations = _authorizations(event)
        if authorizations:
            bearer = _bearer(authorizations)
            caller = None if bearer is None else keys.identify(self._directory(), bearer)
            return None if caller is None else _allow_stage(event["methodArn"], caller)
        ticket = _ticket(event)
        return None if ticket is None else self._policy_for_ticket(event["methodArn"], ticket)

    def _policy_for_ticket(self, method_arn: str, text: str) -> JsonObject:
        try:
            ticket = self._tickets().read(text)
        except TicketExpired:
            return _policy(method_arn, "expired-ticket", expired_ticket_context())
        return _policy(method_arn, f"{ticket.org}/{ticket.key_id}", ticket_context(ticket))


def _authorizations(event: Mapping[str, Any]) -> list[str]:
    """Every `Authorization` header."""
    many = event.get("multiValueHeaders") or {}
    single = event.get("headers") or {}
    headers = many or {name: [value] for name, value in single.items()}
    return [value for name, values in headers.items() if name.lower() == "authorization" for value in values]


def _bearer(authorizations: list[str]) -> str | None:
    """The key, if there is exactly one header and it is a bearer's."""
    if len(authorizations) != 1:
        return None
    scheme, _, key = authorizations[0].strip().partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def _ticket(event: Mapping[str, Any]) -> str | None:
    """The ticket of a reader, if exactly one is given."""
    if event.get("httpMethod") not in _READING:
        return None
    many = event.get("multiValueQueryStringParameters") or {}
    given = many.get(TICKET) or []
    return given[0] or None if len(given) == 1 else None


def _allow_stage(method_arn: str, caller: Identity) -> JsonObject:
    """Allow the whole stage: API Gateway may reuse the answer for every route that the same key asks for next."""
    api, stage, _ = method_arn.split("/", 2)
    return _policy(f"{api}/{stage}/*", f"{caller.org}/{caller.key_id}", authorizer_context(caller))


def _policy(resource: str, principal: str, context: JsonObject) -> JsonObject:
    statement: JsonObject = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
