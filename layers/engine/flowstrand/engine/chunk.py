"""`Chunk`: one thing that a running task emits for whoever watches, before it is an event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flowstrand.engine.schema import Payload

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
