"""`SigningKey`: a public key of an issuer, with the algorithms that it may be used with and no others.

The algorithm of a signature is the key's to say, not the token's: a token may only pick among what its key is for. None of them has a
shared secret, so no public key can be passed off as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flowstrand.dataclass import dataclass

if TYPE_CHECKING:
    from jwt import PyJWK

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"},
)
"""What tokens may be signed with."""

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_BY_CURVE = {
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
_RSA_BITS = range(2_048, 8_193)
"""Shorter ones are not safe; longer ones take long to check, and nobody has them."""
_MOST_KEYS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One key.

    Attributes:
        id: what the header of a token calls it: `kid`.
    """

    id: str
    algorithms: frozenset[str]
    key: PyJWK


def signing_keys(document: Any) -> list[SigningKey]:
    """The keys of a JSON Web Key Set that signatures can be checked with. What is for something else, or nothing we know, is left out.

    Raises:
        ValueError: it is no key set.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is no JSON Web Key Set")
    return list(_usable(listed[:_MOST_KEYS]))


def _usable(listed: list[Any]) -> Iterator[SigningKey]:
    import jwt

    for entry in listed:
        algorithms = _algorithms(entry)
        if not algorithms:
            continue
        try:
            key = jwt.PyJWK(entry, algorithm=algorithms[0])
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        if entry["kty"] != "RSA" or key.key.key_size in _RSA_BITS:
            yield SigningKey(id=entry["kid"], algorithms=frozenset(algorithms), key=key)


def _algorithms(entry: Any) -> tuple[str, ...]:
    """What a JSON Web Key may be used with; nothing where it is not for checking signatures, or holds a private part."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or "d" in entry:
        return ()
    if entry.get("use", "sig") != "sig" or "verify" not in (entry.get("key_ops") or ("verify",)):
        return ()
    possible = (
        _RSA if entry.get("kty") == "RSA" else _BY_CURVE.get((str(entry.get("kty")), str(entry.get("crv"))), ())
    )
    stated = entry.get("alg")
    return possible if stated is None else tuple(name for name in possible if name == stated)
