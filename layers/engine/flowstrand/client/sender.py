"""`Sender` and `SyncSender`: requests over HTTP, repeated while that can help."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import stamina

from flowstrand.client import answers
from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.jsonvalue import JsonObject
from flowstrand.tracing import otel


class Sender:
    """Sends requests of one connection, over connections that it keeps.

    Every method raises `CallerError` where the server refuses, and `Unavailable` with code UNREACHABLE where it cannot be
    reached for `patience_s` seconds, or once, if repeating the request could do more than was asked for.
    """

    def __init__(self, to: Connection, patience_s: float, transport: httpx2.AsyncBaseTransport | None) -> None:
        self._to = to
        self._patience_s = patience_s
        self._http = httpx2.AsyncClient(base_url=to.url, auth=to.auth, transport=transport)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def answer(self, request: Call) -> JsonObject:
        """The body of a successful answer."""
        return answers.body_of(await self.send(request))

    async def send(self, request: Call, *, is_stream: bool = False) -> httpx2.Response:
        """A successful response; of a stream, only its head has been read.

        Raises:
            httpx2.ReadTimeout: the head of a stream did not come in time. That is not asked for again here.
        """
        if request.starts is not None:
            with otel.producing(f"start {request.starts}", request.headers) as headers:
                return await self._send(replace(request, headers={**request.headers, **headers}), is_stream)
        return await self._send(request, is_stream)

    async def _send(self, request: Call, is_stream: bool) -> httpx2.Response:
        on = answers.repetition(request, is_stream=is_stream)
        try:
            async for attempt in stamina.retry_context(on=on, attempts=None, timeout=self._patience_s):
                with attempt:
                    return await self._send_once(request, is_stream=is_stream)
        except httpx2.TransportError as error:
            if is_stream and isinstance(error, httpx2.ReadTimeout):
                raise
            raise answers.unreachable(error, self._to.url) from error
        raise AssertionError("unreachable")

    async def _send_once(self, request: Call, *, is_stream: bool) -> httpx2.Response:
        built = self._http.build_request(
            request.method,
            request.path,
            json=request.json,
            content=request.content,
            params=request.params,
            headers=request.headers,
            timeout=request.timeout_s,
        )
        response = await self._http.send(built, stream=is_stream)
        if not response.is_success:
            await response.aread()
            raise answers.refusal(response)
        return response


class SyncSender:
    """The same, synchronously."""

    def __init__(self, to: Connection, patience_s: float, transport: httpx2.BaseTransport | None) -> None:
        self._to = to
        self._patience_s = patience_s
        self._http = httpx2.Client(base_url=to.url, auth=to.auth, transport=transport)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def answer(self, request: Call) -> JsonObject:
        """The body of a successful answer."""
        return answers.body_of(self.send(request))

    def send(self, request: Call, *, is_stream: bool = False) -> httpx2.Response:
        """A successful response; of a stream, only its head has been read."""
        if request.starts is not None:
            with otel.producing(f"start {request.starts}", request.headers) as headers:
                return self._send(replace(request, headers={**request.headers, **headers}), is_stream)
        return self._send(request, is_stream)

    def _send(self, request: Call, is_stream: bool) -> httpx2.Response:
        on = answers.repetition(request, is_stream=is_stream)
        try:
            for attempt in stamina.retry_context(on=on, attempts=None, timeout=self._patience_s):
                with attempt:
                    return self._send_once(request, is_stream=is_stream)
        except httpx2.TransportError as error:
            if is_stream and isinstance(error, httpx2.ReadTimeout):
                raise
            raise answers.unreachable(error, self._to.url) from error
        raise AssertionError("unreachable")

    def _send_once(self, request: Call, *, is_stream: bool) -> httpx2.Response:
        built = self._http.build_request(
            request.method,
            request.path,
            json=request.json,
            content=request.content,
            params=request.params,
            headers=request.headers,
            timeout=request.timeout_s,
        )
        response = self._http.send(built, stream=is_stream)
        if not response.is_success:
            response.read()
            raise answers.refusal(response)
        return response
