"""`IamCredential`: whoever runs with an AWS role is known by it, and needs no key.

What is sent is a proof (`flowstrand.iam_proof`): a signed request to STS that only the API it was made for can have answered, for some
minutes. The AWS credentials themselves are sent nowhere. They are found as boto3 finds them: environment, profile, container, instance.
"""

from __future__ import annotations

import os
import re
import time
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from flowstrand.errors import ConfigurationError
from flowstrand.iam_proof import AUDIENCE_HEADER, LIFETIME_S, sts_url, written_proof

if TYPE_CHECKING:
    from botocore.session import Session

RENEWED_S = LIFETIME_S - 120
"""How long a proof is used: that much less than it lasts, for requests on their way and clocks that differ."""
_OF_API_GATEWAY = re.compile(r"[a-z0-9]+\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


class IamCredential:
    """Gives proofs of the AWS identity that this process has, each for a while. Thread-safe."""

    def __init__(self, url: str, *, region: str | None = None, session: Session | None = None) -> None:
        """Signs nothing yet.

        Args:
            url: of the API, as the stack tells it or as its parameter IamAudience has it.
            region: whose STS is to be asked; by default FLOWSTRAND_STS_REGION, or the region of the API, or the session's.
            session: where the credentials come from.
        """
        self._audience = url.rstrip("/")
        self._region = region
        self._session = session
        self._lock = Lock()
        self._proof = ""
        self._renewed_at_s = float("-inf")

    def __call__(self) -> str:
        """A proof that is good now.

        Raises:
            ConfigurationError: there are no AWS credentials, or it is not known which region's STS to ask.
        """
        with self._lock:
            now_s = time.time()
            if not 0 <= now_s - self._renewed_at_s < RENEWED_S:
                self._proof, self._renewed_at_s = self._signed(), now_s
            return self._proof

    def _signed(self) -> str:
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError
        from botocore.session import get_session

        session = self._session = self._session or get_session()
        try:
            credentials = session.get_credentials()
            frozen = None if credentials is None else credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise ConfigurationError(
                f"the AWS credentials cannot be had: {error}", code="NO_AWS_CREDENTIALS"
            ) from error
        if frozen is None:
            raise ConfigurationError("there are no AWS credentials here", code="NO_AWS_CREDENTIALS")
        region = self._region or _region_for(self._audience) or session.get_config_variable("region")
        if not region:
            raise ConfigurationError("it is not known which region's STS to ask: set FLOWSTRAND_STS_REGION")
        request = AWSRequest("GET", sts_url(region), headers={AUDIENCE_HEADER: self._audience})
        SigV4QueryAuth(frozen, "sts", region, expires=LIFETIME_S).add_auth(request)
        signed = dict(parse_qsl(urlsplit(str(request.url)).query, strict_parsing=True))
        return written_proof(
            self._audience, {name: value for name, value in signed.items() if name.startswith("X-Amz-")}
        )


def _region_for(url: str) -> str | None:
    """The region that is set, or that the URL of an API has in it."""
    found = _OF_API_GATEWAY.fullmatch(urlsplit(url).hostname or "")
    return os.environ.get("FLOWSTRAND_STS_REGION") or (found["region"] if found else None)
