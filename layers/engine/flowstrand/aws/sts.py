"""`Sts`: sends proofs of AWS identities to AWS's Security Token Service, and to nothing else.

Where a request goes and what it asks is made here; of a proof it takes the signature alone. So a proof can neither have another server
asked, nor sign away anything but its own name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import quote, urlencode

from flowstrand.aws import fetching
from flowstrand.errors import Unauthenticated
from flowstrand.iam_proof import AUDIENCE_HEADER, IamProof, sts_url
from flowstrand.service.callers.unverifiable import Unverifiable

Ask: TypeAlias = Callable[[str, Mapping[str, str]], tuple[int, bytes]]

_BUSY = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})
"""Errors that are not the caller's, though the Query protocol has them among 400s."""


class Sts:
    """AWS's STS, region by region."""

    def __init__(self, url_of: Callable[[str], str] = sts_url, ask: Ask = fetching.answer) -> None:
        self._url_of = url_of
        self._ask = ask

    def caller_of(self, proof: IamProof, audience: str) -> str:
        """See `SecurityTokenService.caller_of`."""
        url = f"{self._url_of(proof.region)}&{urlencode(proof.parameters, quote_via=quote, safe='-_.~')}"
        status, body = self._ask(url, {AUDIENCE_HEADER: audience, "Accept": "application/json"})
        if status == 200:
            return _arn(body)
        if 400 <= status < 500 and status != 429 and _code(body) not in _BUSY:
            raise Unauthenticated("STS does not accept the proof of an AWS identity")
        raise Unverifiable(f"STS answered {status}")


def _arn(body: bytes) -> str:
    try:
        arn = json.loads(body)["GetCallerIdentityResponse"]["GetCallerIdentityResult"]["Arn"]
    except (ValueError, KeyError, TypeError, RecursionError):
        arn = None
    if not isinstance(arn, str):
        raise Unverifiable("STS answered with what cannot be read")
    return arn


def _code(body: bytes) -> object:
    """Which error it is, where that can be read."""
    try:
        return json.loads(body)["Error"]["Code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
