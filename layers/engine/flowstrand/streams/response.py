"""`StreamResponse`: what a streaming handler returns; the Lambda runtime and the local server both send it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import field

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResponse:
    """A response whose body arrives over time.

    Whoever sends it iterates `body` to its end, or closes it (`aclose`, where it has one) when the client is gone.

    Attributes:
        body: chunks, sent as they come; None is an empty body.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: AsyncIterator[bytes] | None = None

    @classmethod
    def of_json(cls, status: int, body: JsonObject, headers: dict[str, str] | None = None) -> StreamResponse:
        """A whole JSON document in one chunk."""
        return cls(
            status=status,
            headers={"content-type": "application/json", **(headers or {})},
            body=_single(json.dumps(body, separators=(",", ":")).encode()),
        )


async def _single(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
