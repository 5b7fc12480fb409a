"""`Issuer`: an identity provider that signs tokens and publishes its keys, as a function of URLs or on loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from flowstrand.service.callers.unverifiable import Unverifiable

ISSUER = "https://login.example.com/tenant"
AUDIENCE = "https://flowstrand.example.com"
NOW_S = 1_795_435_200

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def private_key(algorithm: str, kid: str = "") -> PrivateKey:
    """A key for signatures of this algorithm; made once, since RSA's take long to make."""
    match algorithm[:2], algorithm:
        case (("RS" | "PS"), _):
            return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        case _, "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case _, "ES512":
            return ec.generate_private_key(ec.SECP521R1())
        case "ES", _:
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def public_jwk(key: PrivateKey, algorithm: str, **more: Any) -> dict[str, Any]:
    """A public key, as a key set has it."""
    implementation = jwt.get_algorithm_by_name(algorithm)
    exported: dict[str, Any] = implementation.to_jwk(key.public_key(), as_dict=True)
    exported.pop("key_ops", None)
    return {**exported, "use": "sig", **more}


def part(value: Any) -> str:
    """A part of a token: JSON, or bytes as they are."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(kw_only=True)
class Issuer:
    """Keys by their ids, each with its algorithm.

    Attributes:
        is_away: whether it does not answer.
        asked: the URLs that were asked for, in order.
    """

    url: str = ISSUER
    keys: dict[str, str] = field(default_factory=lambda: {"one": "ES256"})
    is_away: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def jwks_url(self) -> str:
        return f"{self.url.rstrip('/')}/keys"

    def documents(self) -> dict[str, Any]:
        """What it publishes, by URL."""
        keys = [public_jwk(private_key(alg, kid), alg, kid=kid, alg=alg) for kid, alg in self.keys.items()]
        return {
            f"{self.url.rstrip('/')}/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": self.jwks_url,
            },
            self.jwks_url: {"keys": keys},
        }

    def fetch(self, url: str) -> bytes:
        """As `IssuerKeys` fetches."""
        self.asked.append(url)
        document = self.documents().get(url)
        if self.is_away or document is None:
            raise Unverifiable("away")
        return json.dumps(document).encode()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of a user of acme, in which None takes a claim away."""
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": NOW_S - 10,
            "exp": NOW_S + 600,
            "org": "acme",
            "scope": "openid flowstrand/user",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims: Any = None, *, kid: str = "one", header: Mapping[str, Any] | None = None) -> str:
        """A token with this payload: claims, or bytes that are to be signed as they are."""
        algorithm = self.keys[kid]
        payload = self.claims() if claims is None else claims
        fields = {"alg": algorithm, "typ": "JWT", "kid": kid, **(header or {})}
        text = f"{part({n: v for n, v in fields.items() if v is not None})}.{part(payload)}"
        signer: Any = jwt.get_algorithm_by_name(algorithm)
        return f"{text}.{part(signer.sign(text.encode(), private_key(algorithm, kid)))}"
