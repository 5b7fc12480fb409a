"""`{"$flowstrand": "payload", "id": …}`: what stands, in JSON, for a value that was uploaded.

The log holds a `PayloadRef`; this is how clients and workers write one, and how they are shown one that is too large for an
answer.
"""

from __future__ import annotations

import re

from flowstrand.engine.schema import PayloadRef
from flowstrand.jsonvalue import JsonObject, JsonValue

MARKER, KIND = "$flowstrand", "payload"
ID_PATTERN = r"^[0-9a-f]{64}$"
"""An id is the SHA-256 of the value's JSON, in hex."""

_ID = re.compile(ID_PATTERN)
_FIELDS = {MARKER, "id", "sizeBytes"}


def to_reference(ref: PayloadRef) -> JsonObject:
    """What readers see in the value's place."""
    return {MARKER: KIND, "id": ref.sha256, "sizeBytes": ref.size}


def is_reference(value: object) -> bool:
    """Whether `value` claims to stand for an uploaded one, rightly or not."""
    return isinstance(value, dict) and value.get(MARKER) == KIND


def id_of(value: JsonValue) -> str | None:
    """The id of what a reference stands for; None for anything else, and for one that is not well formed."""
    if not isinstance(value, dict) or not is_reference(value) or not value.keys() <= _FIELDS:
        return None
    id = value.get("id")
    return id if isinstance(id, str) and _ID.fullmatch(id) else None
