"""What a channel holds: its content type, and the messages of one that is JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonValue

DEFAULT_TYPE = "application/octet-stream"
MAX_TYPE_LENGTH = 255

_JSON = "application/json"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}[ \t]*(;[\x20-\x7e\t]*)?")


def is_content_type(text: str) -> bool:
    """Whether `text` is a media type, with or without parameters."""
    return len(text) <= MAX_TYPE_LENGTH and _TYPE.fullmatch(text) is not None


def media_type(content_type: str) -> str:
    """Without parameters, in lower case: what two types are compared by."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether what has this type is a sequence of JSON messages."""
    return media_type(content_type) == _JSON


def is_text(content_type: str) -> bool:
    """Whether what has this type can be shown as text."""
    return is_json(content_type) or media_type(content_type).startswith("text/")


def messages_of(body: bytes) -> Sequence[bytes]:
    """The messages of a JSON body: the elements of an array, one level deep, or the one value. None of an empty body.

    Raises:
        InvalidInput: it is not JSON (`MALFORMED_JSON`).
    """
    if not body:
        return ()
    try:
        document = json.loads(body.decode(), parse_constant=_not_json, parse_float=_finite)
        return [_written(message) for message in (document if isinstance(document, list) else [document])]
    except (ValueError, RecursionError) as error:
        raise InvalidInput("the body is not valid JSON", code="MALFORMED_JSON") from error


def _written(message: JsonValue) -> bytes:
    """Compact, and always UTF-8: half of a surrogate pair stays the escape that it was."""
    try:
        return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(message, separators=(",", ":")).encode()


def _not_json(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number
