"""`WebTokens`: who a JSON Web Token of the configured identity provider speaks for.

Law 10: a token that lacks anything is nobody's. Its signature is checked before a claim of it is looked at, with a key of the issuer's
own set and an algorithm of that key (`signing_key`); where a token says its keys are to be found, nobody looks.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Protocol

from flowstrand.errors import Unauthenticated
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.callers.signing_key import ALGORITHMS, SigningKey
from flowstrand.service.callers.strict_json import strict_object
from flowstrand.service.callers.web_token_rules import WebTokenRules
from flowstrand.service.clock import Clock
from flowstrand.service.keys import Identity, Principal, identity

_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""What a token may call itself (RFC 9068); tokens for logging out, proofs of possession and others have types of their own."""
_MOST_CHARACTERS = 1_024
"""Of a claim that has to be there."""


class KeyFinder(Protocol):
    """Where signing keys come from."""

    def find(self, key_id: str, algorithm: str) -> SigningKey:
        """The key of this id for this algorithm. Raises `Unauthenticated` or `Unverifiable`."""
        ...


class WebTokens:
    """Reads tokens of one issuer. Thread-safe."""

    def __init__(self, rules: WebTokenRules, keys: KeyFinder, clock: Clock) -> None:
        self._rules = rules
        self._keys = keys
        self._clock = clock

    def identify(self, text: str) -> Identity:
        """Who presents this token.

        Raises:
            Unauthenticated: nobody we know; the message says why, and nothing of what the token holds.
            Unverifiable: the issuer could not be asked.
        """
        header = _header(text)
        key = self._keys.find(_text(header, "kid"), _text(header, "alg"))
        claims = _signed(text, key, _text(header, "alg"))
        self._check_times(claims)
        self._check_addressee(claims)
        return self._identity(claims)

    def _check_times(self, claims: JsonObject) -> None:
        now_s, leeway_s = self._clock.now_ms() / 1_000, self._rules.leeway_s
        if _time(claims, "exp") <= now_s - leeway_s:
            raise Unauthenticated("the token has expired")
        if _time(claims, "iat") > now_s + leeway_s:
            raise Unauthenticated("the token was issued in the future")
        if "nbf" in claims and _time(claims, "nbf") > now_s + leeway_s:
            raise Unauthenticated("the token is not valid yet")

    def _check_addressee(self, claims: JsonObject) -> None:
        if claims.get("iss") != self._rules.issuer:
            raise Unauthenticated("the token is another issuer's")
        if not self._rules.audiences.intersection(_audiences(claims)):
            raise Unauthenticated("the token is for another audience")
        if "cnf" in claims:
            raise Unauthenticated("the token is bound to a key, and no proof of it can be given here")

    def _identity(self, claims: JsonObject) -> Identity:
        org = claims.get(self._rules.org_claim)
        subject = _text(claims, "sub")
        words = {word for name in self._rules.principals_claims for word in _words(claims.get(name))}
        principals = [
            principal
            for principal, word in (
                (Principal.USER, self._rules.user_word),
                (Principal.WORKER, self._rules.worker_word),
            )
            if word in words
        ]
        digest = hashlib.sha256(f"{self._rules.issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()
        found = identity(org, principals, key_id=f"jwt_{digest[:12]}") if isinstance(org, str) else None
        if found is None:
            raise Unauthenticated("the token names no org, or nothing that its bearer may be there")
        return found


def _header(text: str) -> JsonObject:
    """The header, of a token that could be valid."""
    try:
        header = strict_object(_decoded(text.partition(".")[0]))
    except ValueError:
        raise Unauthenticated("the token's header is malformed") from None
    if _text(header, "alg") not in ALGORITHMS:
        raise Unauthenticated("the token is not signed with an algorithm that is taken")
    if str(header.get("typ", "JWT")).lower() not in _TYPES:
        raise Unauthenticated("the token is of another type")
    if "crit" in header or "b64" in header:
        raise Unauthenticated("the token asks for what is not known here")
    return header


def _signed(text: str, key: SigningKey, algorithm: str) -> JsonObject:
    """The claims, after the signature has been found to be the key's."""
    import jwt  # here, with all that it imports: few requests bring a token, and every start would pay for it

    try:
        payload: bytes = jwt.PyJWS(algorithms=[algorithm]).decode_complete(
            text, key.key.key, algorithms=[algorithm]
        )["payload"]
    except jwt.PyJWTError:
        raise Unauthenticated("the token's signature is not the issuer's") from None
    try:
        return strict_object(payload)
    except ValueError:
        raise Unauthenticated("the token's claims are malformed") from None


def _decoded(part: str) -> bytes:
    """What a part of a token stands for.

    Raises:
        ValueError: it is not base 64.
    """
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars="-_", validate=True)


def _text(values: Mapping[str, JsonValue], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_CHARACTERS:
        raise Unauthenticated(f"the token has no usable {name}")
    return value


def _time(claims: JsonObject, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_moderate(value):
        raise Unauthenticated(f"the token has no usable {name}")
    return value


def _is_moderate(value: float) -> bool:
    """Whether a number can be a time in seconds; one of a thousand digits cannot even be compared with a float."""
    return -(2**53) < value < 2**53


def _audiences(claims: JsonObject) -> Iterator[str]:
    """Whom it is for: `aud`; where there is none, as in access tokens of Cognito, the client that it was made for."""
    named = claims["aud"] if "aud" in claims else claims.get("client_id")
    for one in named if isinstance(named, list) else [named]:
        if isinstance(one, str):
            yield one


def _words(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split(" ")
    if isinstance(value, list):
        yield from (word for word in value if isinstance(word, str))
