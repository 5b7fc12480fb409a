"""Headers of the Durable Streams protocol: those of every answer, and what writers say in theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from flowstrand.engine.schema import rfc3339
from flowstrand.errors import InvalidInput
from flowstrand.http.query import AnyQuery, Query, fitted
from flowstrand.service.channels.content import is_content_type
from flowstrand.service.channels.producers import Claim

ALWAYS = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
    "content-security-policy": "default-src 'none'; sandbox",
}
"""What streams hold is somebody's, and never this site's: nothing of it is to be guessed at, run or framed."""

MAX_TTL_S = 10 * 365 * 86_400
MAX_INTEGER = 2**53 - 1
"""What JavaScript can count to."""
MAX_LABEL = 256
"""Characters of a producer's id, and of a `Stream-Seq`."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,15}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _whole(value: Any) -> Any:
    """Decimal digits as one writes a number: no sign, no fraction, no zeros before it."""
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


def _moment(value: Any) -> Any:
    """RFC 3339, as epoch milliseconds."""
    if not isinstance(value, str):
        return value
    if not _MOMENT.fullmatch(value):
        raise ValueError("must be an RFC 3339 time")
    try:
        moment_ms = round(datetime.fromisoformat(_six_digits(value)).timestamp() * 1_000)
        rfc3339(moment_ms)  # what is told of it later
    except OverflowError as error:
        raise ValueError("must be of the years 1 to 9999 in UTC") from error
    return moment_ms


def _six_digits(text: str) -> str:
    """No more of a second than a microsecond, which is all that is understood."""
    return re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.upper())


Label = Annotated[str, Field(min_length=1, max_length=MAX_LABEL, pattern=r"^[\x20-\x7e]+$")]
Counted = Annotated[int, Field(ge=0, le=MAX_INTEGER), BeforeValidator(_whole)]
Seconds = Annotated[int, Field(ge=0, le=MAX_TTL_S), BeforeValidator(_whole)]
Moment = Annotated[
    int, Field(json_schema_extra={"type": "string", "format": "date-time"}), BeforeValidator(_moment)
]


class WriterHeaders(Query):
    """What every writer may say."""

    stream_closed: Annotated[
        str | None, Field(alias="Stream-Closed", description="`true` where nothing is to follow.")
    ] = None

    @property
    def closes(self) -> bool:
        """Whether nothing is to follow; anything but `true` says nothing."""
        return (self.stream_closed or "").lower() == "true"


class CreateHeaders(WriterHeaders):
    """What the maker of a channel may say."""

    ttl_s: Annotated[
        Seconds | None,
        Field(alias="Stream-TTL", description="Seconds after which it ends if nobody has used it meanwhile."),
    ] = None
    expires_at_ms: Annotated[
        Moment | None,
        Field(alias="Stream-Expires-At", description="When it ends, whoever uses it. Not beside `Stream-TTL`."),
    ] = None


class AppendHeaders(WriterHeaders):
    """What somebody who appends may say."""

    seq: Annotated[
        Label | None,
        Field(alias="Stream-Seq", description="To be greater, byte by byte, than that of every append before it."),
    ] = None
    producer_id: Annotated[
        Label | None, Field(alias="Producer-Id", description="Of an idempotent producer, with the other two.")
    ] = None
    producer_epoch: Annotated[
        Counted | None, Field(alias="Producer-Epoch", description="Which life of the producer it is.")
    ] = None
    producer_seq: Annotated[
        Counted | None, Field(alias="Producer-Seq", description="Which request of that life, from 0.")
    ] = None

    @property
    def claim(self) -> Claim | None:
        """What a producer says of itself.

        Raises:
            InvalidInput: it does not say all of it.
        """
        given = (self.producer_id, self.producer_epoch, self.producer_seq)
        if self.producer_id is not None and self.producer_epoch is not None and self.producer_seq is not None:
            return Claim(self.producer_id, self.producer_epoch, self.producer_seq)
        if given == (None, None, None):
            return None
        raise _refused("Producer-Id", "comes with Producer-Epoch and Producer-Seq, or none of them does")


def create_headers(headers: Mapping[str, str]) -> CreateHeaders:
    """Those of a request that makes a channel.

    Raises:
        InvalidInput: one of them does not fit, or both times are given.
    """
    found = _fitted(headers, CreateHeaders)
    if found.ttl_s is not None and found.expires_at_ms is not None:
        raise _refused("Stream-Expires-At", "must not come with Stream-TTL")
    return found


def append_headers(headers: Mapping[str, str]) -> AppendHeaders:
    """Those of a request that appends.

    Raises:
        InvalidInput: one of them does not fit.
    """
    return _fitted(headers, AppendHeaders)


def content_type(headers: Mapping[str, str]) -> str | None:
    """`Content-Type`; None where there is none.

    Raises:
        InvalidInput: it is not a media type.
    """
    given = _lowered(headers).get("content-type") or None
    if given is not None and not is_content_type(given):
        raise _refused("Content-Type", "is not a media type")
    return given


def _fitted(headers: Mapping[str, str], model: type[AnyQuery]) -> AnyQuery:
    given = _lowered(headers)
    names = [field.alias or name for name, field in model.model_fields.items()]
    return fitted({name: given[name.lower()] for name in names if name.lower() in given}, model)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in headers.items()}


def _refused(name: str, fault: str) -> InvalidInput:
    return InvalidInput(f"not valid in the head: {name}", details=[{"pointer": f"/{name}", "message": fault}])
