"""`IssuerKeys`: what an issuer signs with now, kept for a while.

Laws: a key is used for no longer than `STALE_MS` after it was last seen. Unknown key ids, however many, lead to one look in `COOL_MS`. An
issuer that does not answer makes nobody known: what cannot be checked is refused in a way that may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from threading import Lock
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.errors import Unauthenticated
from flowstrand.service.callers.signing_key import SigningKey, signing_keys
from flowstrand.service.callers.strict_json import strict_object
from flowstrand.service.callers.unverifiable import Unverifiable
from flowstrand.service.clock import Clock

Fetch: TypeAlias = Callable[[str], bytes]
"""The body that a URL answers a GET with. Raises `Unverifiable` for anything but 200."""

DISCOVERY = "/.well-known/openid-configuration"
FRESH_MS = 3_600_000
"""How long keys are used before the issuer is asked again."""
STALE_MS = 6 * 3_600_000
"""How long they are used where it does not answer."""
COOL_MS = 30_000
"""How often an unknown key id may lead to another look."""
RETRY_MS = 5_000
"""How soon an issuer is asked again that did not answer."""

_KeyName: TypeAlias = tuple[str, str]


def read_keys(fetch: Fetch, issuer: str, jwks_url: str | None) -> list[SigningKey]:
    """The keys of `issuer`, at `jwks_url` or where its discovery document says.

    Raises:
        Unverifiable: it does not answer, or not with what it should.
    """
    try:
        url = jwks_url or _discovered(strict_object(fetch(issuer.rstrip("/") + DISCOVERY)), issuer)
        return signing_keys(strict_object(fetch(url)))
    except ValueError as error:
        raise Unverifiable(f"what the issuer of tokens publishes cannot be used: {error}") from error


def _discovered(document: Mapping[str, object], issuer: str) -> str:
    """Where the keys are.

    Raises:
        ValueError: the document is another issuer's, or does not say.
    """
    if document.get("issuer") != issuer:
        raise ValueError("the discovery document is another issuer's")
    url = document.get("jwks_uri")
    if not isinstance(url, str):
        raise ValueError("the discovery document has no jwks_uri")
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What was read last.

    Attributes:
        at_ms: when that was; None before the first time.
        next_look_ms: when the issuer may be asked again.
        has_failed: whether the last look did.
    """

    keys: Mapping[_KeyName, SigningKey] = field(default_factory=dict)
    at_ms: int | None = None
    next_look_ms: int = 0
    has_failed: bool = False


class IssuerKeys:
    """The keys of one issuer, read when they are first needed. Thread-safe."""

    def __init__(self, read: Callable[[], list[SigningKey]], clock: Clock) -> None:
        """`read` asks the issuer; it raises `Unverifiable`."""
        self._read = read
        self._clock = clock
        self._seen = _Seen()
        self._looking = Lock()

    def find(self, key_id: str, algorithm: str) -> SigningKey:
        """The key of this id, which may be used with this algorithm.

        Raises:
            Unauthenticated: the issuer has none.
            Unverifiable: it does not say, and what it said before is too old.
        """
        name = (key_id, algorithm)
        seen = self._seen
        if not self._is_within(FRESH_MS, seen) or name not in seen.keys:
            seen = self._look()
        if not self._is_within(STALE_MS, seen):
            raise Unverifiable("the issuer of tokens does not say what it signs with")
        found = seen.keys.get(name)
        if found is not None:
            return found
        if seen.has_failed:
            raise Unverifiable("the issuer of tokens does not say whether it has the key of this id")
        raise Unauthenticated("the issuer of tokens has no key of this id and algorithm")

    def _is_within(self, age_ms: int, seen: _Seen) -> bool:
        return seen.at_ms is not None and abs(self._clock.now_ms() - seen.at_ms) <= age_ms

    def _look(self) -> _Seen:
        """Ask the issuer, unless that was done a moment ago. Whoever comes meanwhile waits for the one answer."""
        with self._looking:
            now_ms, seen = self._clock.now_ms(), self._seen
            if now_ms < seen.next_look_ms:
                return seen
            try:
                keys = _by_name(self._read())
                self._seen = _Seen(keys=keys, at_ms=now_ms, next_look_ms=now_ms + COOL_MS)
            except Unverifiable:
                self._seen = _Seen(
                    keys=seen.keys, at_ms=seen.at_ms, next_look_ms=now_ms + RETRY_MS, has_failed=True
                )
            return self._seen


def _by_name(keys: list[SigningKey]) -> dict[_KeyName, SigningKey]:
    """Keys by id and algorithm. Where two are called the same, neither is it."""
    found: dict[_KeyName, SigningKey] = {}
    twice: set[_KeyName] = set()
    for key in keys:
        for name in ((key.id, algorithm) for algorithm in key.algorithms):
            if name in found:
                twice.add(name)
            found[name] = key
    return {name: key for name, key in found.items() if name not in twice}
