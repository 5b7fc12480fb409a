"""`Chunk`: one thing that a running task emits for whoever watches, before it is an event."""

from __future__ import annotations

import json
from enum import StrEnum

from flowstrand.dataclass import dataclass
from flowstrand.engine.schema import Payload, PayloadRef

MAX_CHUNK_BYTES = 256 * 1_024
"""How long the JSON of one chunk's values may be."""


class ChunkType(StrEnum):
    """What a chunk is: the SSE event names of `format=state`."""

    TOKEN = "token"
    """A piece of text."""
    PROGRESS = "progress"
    """How much of the work is done, from 0 to 1."""
    DATA = "data"
    """Any JSON."""
    ERROR = "error"
    """`{"message": …}`: something went wrong, and the task goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One emitted value.

    Attributes:
        details: beside a PROGRESS, any JSON; of the others, None.
    """

    type: ChunkType
    payload: Payload
    details: Payload = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How much one attempt of a task may emit in all; 0 for any amount.

    Attributes:
        chunks: how many.
        size: bytes of JSON of their values together, as `size_of` counts them.
    """

    chunks: int = 0
    size: int = 0


def size_of(value: Payload) -> int:
    """Bytes of a value's JSON, of a text without its escapes; of a stored one what is stored. An absent one has none."""
    match value:
        case None:
            return 0
        case PayloadRef():
            return value.size
        case str():
            return len(value.encode("utf-8", "surrogatepass")) + 2
        case _:
            return len(
                json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
            )
