"""`IamProof`: a request to AWS's Security Token Service, signed by whoever wants to be known, and not yet sent.

The caller signs `GetCallerIdentity`, as a presigned URL, together with a header that names the API it is meant for, and sends what that
took: the parameters of the signature. Nothing of it says where a request goes or what it asks for; those the server knows. The secret
key stays where it is, and STS alone can tell whose signature it was. Client and server share this format, and nothing else.

    fsiam1.BASE64URL(audience).BASE64URL(X-Amz-Algorithm=…&X-Amz-Credential=…&…)
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from flowstrand.dataclass import dataclass
from flowstrand.errors import Unauthenticated

PREFIX = "fsiam1."
"""What proofs begin with; the number is that of their format."""
AUDIENCE_HEADER = "x-flowstrand-audience"
"""The header that binds a proof to one API: signed, so that a proof for another API is refused by STS itself."""
SIGNED_HEADERS = f"host;{AUDIENCE_HEADER}"
LIFETIME_S = 300
"""How long after it was signed a proof is taken. STS itself would take one for 15 minutes."""
SKEW_S = 60
"""How far the caller's clock may be ahead."""

_MOST_EXPIRES_S = 900
_CREDENTIAL = re.compile(
    r"[A-Z0-9]{16,128}/(?P<day>\d{8})/(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)/sts/aws4_request", re.ASCII
)
_PATTERNS: Mapping[str, re.Pattern[str]] = {
    "X-Amz-Algorithm": re.compile("AWS4-HMAC-SHA256"),
    "X-Amz-Credential": _CREDENTIAL,
    "X-Amz-Date": re.compile(r"\d{8}T\d{6}Z", re.ASCII),
    "X-Amz-Expires": re.compile(r"[1-9]\d{0,2}", re.ASCII),
    "X-Amz-SignedHeaders": re.compile(re.escape(SIGNED_HEADERS)),
    "X-Amz-Signature": re.compile("[0-9a-f]{64}"),
    "X-Amz-Security-Token": re.compile("[A-Za-z0-9+/=_-]{1,4096}"),
}
_OPTIONAL = frozenset({"X-Amz-Security-Token"})
_AUDIENCE = re.compile(r"https?://[A-Za-z0-9._:/-]{1,250}")
_PART = re.compile("[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IamProof:
    """A proof that is well formed. Whether it is true, STS says.

    Attributes:
        audience: the URL of the API that it claims to be for, which nothing has checked.
        region: of the STS that the signature is for.
        parameters: of the signature, by their names in a query.
    """

    audience: str
    region: str
    signed_at_ms: int
    parameters: Mapping[str, str] = field(repr=False)

    def is_current(self, now_ms: int) -> bool:
        """Whether it was signed a moment ago."""
        age_ms = now_ms - self.signed_at_ms
        return -SKEW_S * 1_000 <= age_ms <= LIFETIME_S * 1_000


def sts_url(region: str) -> str:
    """What is signed, and asked: the regional endpoint, in the partition of the region."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://sts.{region}.{suffix}/?Action=GetCallerIdentity&Version=2011-06-15"


def written_proof(audience: str, parameters: Mapping[str, str]) -> str:
    """The proof as clients send it."""
    return f"{PREFIX}{_encoded(audience)}.{_encoded(urlencode(parameters))}"


def parse_proof(bearer: str) -> IamProof:
    """The proof that a bearer credential is.

    Raises:
        Unauthenticated: it is none; the message holds nothing of it.
    """
    try:
        audience, query = (_decoded(part) for part in bearer.removeprefix(PREFIX).split("."))
        return _checked(audience, parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=7))
    except ValueError:
        raise Unauthenticated("the proof of an AWS identity is malformed") from None


def _checked(audience: str, pairs: list[tuple[str, str]]) -> IamProof:
    parameters = dict(pairs)
    if len(parameters) < len(pairs) or not _PATTERNS.keys() - _OPTIONAL <= parameters.keys() <= _PATTERNS.keys():
        raise ValueError("other parameters than a signature has")
    if not all(_PATTERNS[name].fullmatch(value) for name, value in parameters.items()):
        raise ValueError("a parameter that no signature has")
    scope = _CREDENTIAL.fullmatch(parameters["X-Amz-Credential"])
    if scope is None or scope["day"] != parameters["X-Amz-Date"][:8] or not _AUDIENCE.fullmatch(audience):
        raise ValueError("parts that do not go together")
    if int(parameters["X-Amz-Expires"]) > _MOST_EXPIRES_S:
        raise ValueError("valid for too long")
    signed_at = datetime.strptime(parameters["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return IamProof(
        audience=audience,
        region=scope["region"],
        signed_at_ms=round(signed_at.timestamp() * 1_000),
        parameters=parameters,
    )


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("ascii")).rstrip(b"=").decode()


def _decoded(part: str) -> str:
    """What a part stands for.

    Raises:
        ValueError: it is not the one way to write that.
    """
    if not _PART.fullmatch(part):
        raise ValueError("a part is not base 64")
    raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    text = raw.decode("ascii")
    if _encoded(text) != part:
        raise ValueError("a part is written in another way than it is read")
    return text
