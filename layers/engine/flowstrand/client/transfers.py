"""`Transfers` and `SyncTransfers`: values on their way to and from the payload store, past the API.

The URLs are permission enough. No credential goes with them: they lead to a store, which has no business with it, and S3
refuses what is signed twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import httpx2

from flowstrand.client.connection import Connection
from flowstrand.errors import InvalidInput, Unavailable
from flowstrand.jsonvalue import JsonValue

_PATIENCE_S = 120.0
_SERVER_ERROR = 500


class Transfers:
    """Sends and fetches values. Raises `httpx2.TransportError` on network errors and `CallerError` where it is refused."""

    def __init__(self, connection: Connection, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._http = httpx2.AsyncClient(base_url=connection.url, timeout=_PATIENCE_S, transport=transport)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def put(self, begun: Mapping[str, JsonValue], body: bytes) -> None:
        """Send `body` as the answer to a request for an upload says, unless it says that this is there already."""
        if begun.get("stored") is not True:
            _require_success(await self._http.request(**_upload(begun), content=body))

    async def get(self, url: str) -> JsonValue:
        """The value behind a URL."""
        response = await self._http.get(url)
        _require_success(response)
        return _value(response)


class SyncTransfers:
    """The same, synchronously."""

    def __init__(self, connection: Connection, transport: httpx2.BaseTransport | None = None) -> None:
        self._http = httpx2.Client(base_url=connection.url, timeout=_PATIENCE_S, transport=transport)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def put(self, begun: Mapping[str, JsonValue], body: bytes) -> None:
        """Send `body` as the answer to a request for an upload says, unless it says that this is there already."""
        if begun.get("stored") is not True:
            _require_success(self._http.request(**_upload(begun), content=body))

    def get(self, url: str) -> JsonValue:
        """The value behind a URL."""
        response = self._http.get(url)
        _require_success(response)
        return _value(response)


def _upload(begun: Mapping[str, Any]) -> dict[str, Any]:
    return {"method": begun["method"], "url": begun["uploadUrl"], "headers": begun["headers"]}


def _require_success(response: httpx2.Response) -> None:
    if response.status_code >= _SERVER_ERROR:
        raise Unavailable(f"the payload store answers {response.status_code}", code="PAYLOAD_STORE_UNAVAILABLE")
    if not response.is_success:
        raise InvalidInput(f"the payload store answers {response.status_code}", code="TRANSFER_REFUSED")


def _value(response: httpx2.Response) -> JsonValue:
    try:
        return cast(JsonValue, json.loads(response.content.decode("utf-8", "surrogatepass")))
    except (ValueError, RecursionError) as error:
        raise InvalidInput("what was uploaded is no JSON", code="INVALID_PAYLOAD") from error
