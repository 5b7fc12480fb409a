"""Answers of the API: their JSON, or the error they stand for."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from flowstrand.client.call import Call
from flowstrand.errors import (
    CallerError,
    Conflict,
    FlowstrandError,
    Gone,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    QuotaExceeded,
    Unauthenticated,
    Unavailable,
    UnprocessableInput,
    WrongPrincipal,
)
from flowstrand.jsonvalue import JsonObject

_CLASSES: dict[int, type[CallerError]] = {
    cls.status: cls
    for cls in (
        InvalidInput,
        Unauthenticated,
        WrongPrincipal,
        NotFound,
        Conflict,
        Gone,
        PayloadTooLarge,
        UnprocessableInput,
        QuotaExceeded,
        Unavailable,
    )
}
_SERVER_ERROR = 500
USAGE_LIMIT_REACHED = "USAGE_LIMIT_REACHED"
"""The code of the 429 that lasts for the rest of a day, a week or a month."""


def body_of(response: httpx2.Response) -> JsonObject:
    """The JSON object of a successful answer.

    Raises:
        CallerError: the request was refused; the class follows the status, the code is the server's.
        Unavailable: the server failed, or did not answer with a JSON object.
    """
    if not response.is_success:
        raise refusal(response)
    body = _json_object(response)
    if body is None:
        raise Unavailable(f"not an answer of this API: {response.url}", code="UNEXPECTED_ANSWER")
    return body


def refusal(response: httpx2.Response) -> CallerError:
    """The error that an unsuccessful answer stands for; its body must have been read."""
    body = _json_object(response) or {}
    status = response.status_code
    cls = _CLASSES.get(status, Unavailable if status >= _SERVER_ERROR else CallerError)
    details = body.get("details")
    return cls(
        str(body.get("error") or body.get("message") or f"HTTP {status}"),
        code=str(body["code"]) if "code" in body else None,
        details=[item for item in details if isinstance(item, dict)] if isinstance(details, list) else (),
        retry_after_s=_seconds(response.headers.get("retry-after")),
    )


def unreachable(error: httpx2.TransportError, url: str) -> FlowstrandError:
    """What a network error means to the caller: the request may or may not have been carried out."""
    reason = str(error) or type(error).__name__
    return Unavailable(f"cannot reach {url}: {reason}", code="UNREACHABLE")


def repetition(request: Call, *, is_stream: bool) -> Callable[[Exception], bool | float]:
    """When a request is repeated by itself (for `stamina`)."""
    if is_stream:
        return _is_transient_but_silence
    return is_transient if request.repeatable else is_refused_for_now


def is_transient(error: Exception) -> bool | float:
    """Whether repeating can help (for `stamina`): network errors, 429 and 503, after their `Retry-After` in seconds.

    Not where the org has used up its usage plan: that is for whoever called to know, and not in minutes.
    """
    if isinstance(error, QuotaExceeded) and error.code == USAGE_LIMIT_REACHED:
        return False
    if isinstance(error, Unavailable | QuotaExceeded):
        return float(error.retry_after_s) if error.retry_after_s else True
    return isinstance(error, httpx2.TransportError) and not isinstance(
        error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.ProxyError
    )


def is_refused_for_now(error: Exception) -> bool | float:
    """The same for what must not be done twice: 429 alone says that nothing was done."""
    return isinstance(error, QuotaExceeded) and is_transient(error)


def _is_transient_but_silence(error: Exception) -> bool | float:
    return not isinstance(error, httpx2.ReadTimeout) and is_transient(error)


def _json_object(response: httpx2.Response) -> JsonObject | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _seconds(header: str | None) -> int | None:
    return int(header) if header and header.isdecimal() else None
