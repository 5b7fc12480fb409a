"""`IamCallers`: whom a proof of an AWS identity speaks for. STS says whose it is, the directory what that is worth here.

Law 10: a proof that was signed for another API, some time ago or for an STS that is not listed is refused before anybody is asked. What STS
says of a proof is remembered for a minute, for no proof that is too old by then; what the directory says is not.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection
from threading import Lock
from typing import Protocol

from flowstrand.directory.port import Directory
from flowstrand.errors import Unauthenticated
from flowstrand.iam_proof import IamProof, parse_proof
from flowstrand.service.callers import iam_principals
from flowstrand.service.clock import Clock
from flowstrand.service.keys import Identity

REMEMBERED_MS = 60_000
_MOST_REMEMBERED = 1_000


class SecurityTokenService(Protocol):
    """AWS's STS."""

    def caller_of(self, proof: IamProof, audience: str) -> str:
        """The ARN of whoever has signed this proof for this audience.

        Raises:
            Unauthenticated: nobody has: STS refuses it.
            Unverifiable: STS does not answer.
        """
        ...


class IamCallers:
    """Identifies callers by proofs. Thread-safe."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        sts: SecurityTokenService,
        clock: Clock,
        *,
        regions: Collection[str],
        audiences: Collection[str] = (),
    ) -> None:
        """Asks nobody yet.

        Args:
            regions: whose STS may be asked.
            audiences: what else the API is called, besides what API Gateway calls it.
        """
        self._directory = directory
        self._sts = sts
        self._clock = clock
        self._regions = frozenset(regions)
        self._audiences = frozenset(audiences)
        self._remembered: OrderedDict[bytes, tuple[str, int]] = OrderedDict()
        self._lock = Lock()

    def identify(self, bearer: str, api_url: str) -> Identity:
        """Who presents this proof to the API at `api_url`.

        Raises:
            Unauthenticated: nobody we know; the message says why.
            StoreUnavailable: STS or the directory does not answer.
        """
        proof = parse_proof(bearer)
        if not proof.is_current(self._clock.now_ms()):
            raise Unauthenticated("the proof of an AWS identity is not of this moment")
        if proof.region not in self._regions:
            raise Unauthenticated("the proof of an AWS identity is for the STS of a region that is not listed")
        if proof.audience != api_url and proof.audience not in self._audiences:
            raise Unauthenticated("the proof of an AWS identity is for another API")
        found = iam_principals.identify(self._directory(), self._caller_of(bearer, proof))
        if found is None:
            raise Unauthenticated("the AWS identity was admitted by no org")
        return found

    def _caller_of(self, bearer: str, proof: IamProof) -> str:
        name, now_ms = hashlib.sha256(bearer.encode()).digest(), self._clock.now_ms()
        with self._lock:
            arn, until_ms = self._remembered.get(name, ("", 0))
        if now_ms < until_ms:
            return arn
        arn = self._sts.caller_of(proof, proof.audience)
        with self._lock:
            self._remembered[name] = (arn, now_ms + REMEMBERED_MS)
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return arn
