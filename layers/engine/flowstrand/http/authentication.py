"""Who is calling, and whether they may (law 10). The authorizer has identified the key; its word is all that counts here.

Fails closed: without a complete identity in the request context there is no caller, however the request got here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.errors import NotFound, Unauthenticated, WrongPrincipal
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.keys import Identity, Principal, identity


def authorizer_context(caller: Identity) -> JsonObject:
    """What the authorizer tells handlers about the caller: strings only, as API Gateway requires."""
    return {"org": caller.org, "principals": ",".join(sorted(caller.principals)), "keyId": caller.key_id}


def identity_of(event: Mapping[str, Any]) -> Identity:
    """The caller of an API Gateway proxy event.

    Raises:
        Unauthenticated: the event holds no identity, or not a whole one.
    """
    context = (event.get("requestContext") or {}).get("authorizer")
    if not isinstance(context, Mapping):
        raise Unauthenticated("a credential is required")
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
    if principal not in caller.principals:
        raise WrongPrincipal(f"this takes a key for the principal {principal.value!r}")
    return caller
