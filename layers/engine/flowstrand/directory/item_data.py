"""An item's data as text, the same in every store, within what the smallest store can hold."""

from __future__ import annotations

import json
from typing import Any

from flowstrand.errors import LogCorrupted, PayloadTooLarge
from flowstrand.jsonvalue import JsonObject

MAX_ITEM_BYTES = 380 * 1024
"""DynamoDB's limit of 400 KB per item, less room for keys."""


def dump(partition: str, key: str, data: JsonObject) -> str:
    """`data` as ASCII JSON.

    Raises:
        PayloadTooLarge: it is over `MAX_ITEM_BYTES` (`ITEM_TOO_LARGE`).
        ValueError: the partition or the key is empty, or a number is not finite.
    """
    if not partition or not key:
        raise ValueError(f"an item needs a partition and a key, not {partition!r} and {key!r}")
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    if len(text) > MAX_ITEM_BYTES:
        message = f"an item of {len(text)} bytes is over the limit of {MAX_ITEM_BYTES}"
        raise PayloadTooLarge(message, code="ITEM_TOO_LARGE")
    return text


def load(text: str) -> JsonObject:
    """The inverse of `dump`.

    Raises:
        LogCorrupted: it is not a JSON object.
    """
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise LogCorrupted(f"a directory item cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise LogCorrupted("a directory item is not an object")
    return data
