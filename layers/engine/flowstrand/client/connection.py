"""`Connection`: which server, as whom, in which org."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import quote

from flowstrand.client.bearer import Bearer, TokenSource
from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError

DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_ORG = "dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where requests go and what they carry.

    Attributes:
        url: of the server, without a trailing slash, e.g. `https://abc.execute-api.eu-west-1.amazonaws.com/prod`.
        api_key: sent as a bearer credential, or what gives one when asked; never shown.
        org: whose executions are meant.
    """

    url: str
    api_key: str | TokenSource = field(repr=False)
    org: str

    @classmethod
    def resolve(
        cls,
        url: str | None = None,
        api_key: str | TokenSource | None = None,
        org: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Connection:
        """What is given, else `FLOWSTRAND_URL`, `FLOWSTRAND_API_KEY` and `FLOWSTRAND_ORG`, else the local server's.

        With `FLOWSTRAND_AUTH=iam`, and no key, the AWS identity of this process is used.

        Raises:
            ConfigurationError: there is no API key, or the URL is not an HTTP one.
        """
        environment = os.environ if environment is None else environment
        url = url or environment.get("FLOWSTRAND_URL") or DEFAULT_URL
        key = (
            api_key
            or environment.get("FLOWSTRAND_API_KEY")
            or _of_aws(url, environment.get("FLOWSTRAND_AUTH") or "key")
        )
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError(f"not an HTTP URL: {url}")
        if not key:
            raise ConfigurationError("no API key: set FLOWSTRAND_API_KEY, or give one", code="NO_API_KEY")
        org = org or environment.get("FLOWSTRAND_ORG") or DEFAULT_ORG
        return cls(url=url.rstrip("/"), api_key=key, org=org)

    @property
    def auth(self) -> Bearer:
        """What puts the credential on every request."""
        return Bearer(self.api_key)

    def path(self, *segments: str) -> str:
        """The URL path of an org route; every segment is percent-encoded."""
        return "/".join([f"/api/orgs/{quote(self.org, safe='')}", *(quote(part, safe="") for part in segments)])


def _of_aws(url: str, way: str) -> TokenSource | None:
    """What proves the AWS identity of this process, where that is how it is to be known.

    Raises:
        ConfigurationError: there is no such way.
    """
    if way not in {"key", "iam"}:
        raise ConfigurationError(f"FLOWSTRAND_AUTH is key or iam, not {way}")
    if way == "key":
        return None
    from flowstrand.client.iam_credential import IamCredential

    return IamCredential(url)
