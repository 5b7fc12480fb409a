"""What stands behind `Authorization: Bearer …`: an API key, a JSON Web Token or the proof of an AWS identity, by its shape alone.

The shape decides, never what is configured: so nothing that was one kind of credential becomes another when a setting changes, and
none is tried as two things. `service.keys` makes no key that looks like the others.
"""

from __future__ import annotations

import re
from enum import Enum

from flowstrand import iam_proof

MAX_BEARER_BYTES = 8_192
"""API Gateway takes headers of 10,240 bytes in all."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
"""JWS compact serialisation: three parts in base 64, of which one that is not signed lacks the last."""


class Credential(Enum):
    """A kind of bearer credential."""

    API_KEY = "API key"
    WEB_TOKEN = "JSON Web Token"
    IAM_PROOF = "proof of an AWS identity"


def credential_of(bearer: str) -> Credential:
    """The one kind of credential that `bearer` can be."""
    if bearer.startswith(iam_proof.PREFIX):
        return Credential.IAM_PROOF
    if _TOKEN.fullmatch(bearer):
        return Credential.WEB_TOKEN
    return Credential.API_KEY


def is_too_long(bearer: str) -> bool:
    """Whether nothing that is valid is as long as this."""
    return len(bearer.encode("utf-8", "surrogatepass")) > MAX_BEARER_BYTES
