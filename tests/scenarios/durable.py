"""Speaking the Durable Streams protocol to the handlers of a world."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from flowstrand.jsonvalue import JsonObject
from flowstrand.local import proxy_event, routes
from flowstrand.streams.response import StreamResponse
from tests.scenarios.world import ORG, World

CALLER: JsonObject = {"org": ORG, "principals": "user", "keyId": "test"}
CHANNELS = f"/v1/stream/orgs/{ORG}/channels"
EXECUTIONS = f"/v1/stream/orgs/{ORG}/executions"
FEED = f"/v1/stream/orgs/{ORG}/events"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer; names of headers are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def offset(self) -> str:
        """Where to read on."""
        return self.headers["stream-next-offset"]


def say(
    world: World,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    query: Mapping[str, str] | None = None,
    **headers: str,
) -> Said:
    """Send a request; `Stream_Closed="true"` is the header `Stream-Closed`."""
    found = routes.match(method, path)
    assert found is not None, path
    route, parameters = found
    request = proxy_event.Request(
        method=method,
        path=path,
        resource=route.resource,
        path_parameters=parameters,
        headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
        query=tuple((query or {}).items()),
        body=body,
        source_ip="127.0.0.1",
        request_id=secrets.token_hex(8),
        now_ms=world.clock.now_ms(),
    )
    answer = world.invoke(route.function, proxy_event.proxy_event(request, CALLER))
    if isinstance(answer, StreamResponse):
        given = {name.lower(): value for name, value in answer.headers.items()}
        return Said(answer.status, asyncio.run(_joined(answer.body)), given)
    given = {name.lower(): value for name, value in proxy_event.response_headers(answer)}
    return Said(answer["statusCode"], proxy_event.response_body(answer), given)


def create(
    world: World, name: str, body: bytes = b"", type: str = "application/octet-stream", **headers: str
) -> Said:
    """Make a channel."""
    return say(world, "PUT", f"{CHANNELS}/{name}", body, query=None, Content_Type=type, **headers)


def append(world: World, name: str, body: bytes, type: str = "application/octet-stream", **headers: str) -> Said:
    """Append to one."""
    return say(world, "POST", f"{CHANNELS}/{name}", body, query=None, Content_Type=type, **headers)


def read(world: World, name: str, offset: str = "-1", **query: str) -> Said:
    """One answer of a channel."""
    return say(world, "GET", f"{CHANNELS}/{name}", query={"offset": offset, **query})


def whole(world: World, path: str) -> list[Said]:
    """Every page of a stream, as far as it goes now."""
    pages = [say(world, "GET", path, query={"offset": "-1"})]
    while pages[-1].headers.get("stream-up-to-date") != "true":
        pages.append(say(world, "GET", path, query={"offset": pages[-1].offset}))
    assert all(page.status == 200 for page in pages)
    return pages


def content(world: World, name: str) -> bytes:
    """All that is in a channel of bytes."""
    return b"".join(page.body for page in whole(world, f"{CHANNELS}/{name}"))


async def _joined(body: AsyncIterator[bytes] | None) -> bytes:
    return b"" if body is None else b"".join([chunk async for chunk in body])
