"""What a streaming handler sends in one piece."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from flowstrand.streams.response import StreamResponse


def text_of(response: StreamResponse) -> dict[str, Any]:
    """The JSON of a response that is whole, such as a refusal."""

    async def collect() -> bytes:
        assert response.body is not None
        return b"".join([chunk async for chunk in response.body])

    body: dict[str, Any] = json.loads(asyncio.run(collect()))
    return body
