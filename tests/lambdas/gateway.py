"""`Gateway`: API Gateway's part for one caller. Asks the authorizer, then the function behind the route."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from flowstrand.aws.runtime_api import DELIMITER
from flowstrand.jsonvalue import JsonObject
from flowstrand.local import proxy_event, routes
from flowstrand.local.proxy_event import Request
from tests.lambdas.stack import DeployedStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response that is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class Gateway:
    """Requests with one API key."""

    def __init__(self, stack: DeployedStack, org: str, key: str) -> None:
        self._stack, self._org, self._key = stack, org, key

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """What is at `path` of the org; it must be there."""
        answer = self.call("GET", path, query=query)
        assert answer.status == 200, answer
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of `body`; it must be taken."""
        answer = self.call("POST", path, body)
        assert answer.status in {200, 201}, answer
        return answer.json()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to one request; `path` is relative to the org."""
        request, function = self._request(method, path, body, query or {})
        response = self._stack.function(function).invoke(self._authorized(request))
        headers = {name.lower(): value for name, value in proxy_event.response_headers(response)}
        return Answer(status=response["statusCode"], headers=headers, body=proxy_event.response_body(response))

    @contextmanager
    def stream(self, path: str, *, timeout_ms: int | None = None, **query: str) -> Iterator[Iterator[bytes]]:
        """The chunks of a streamed response's body, as they come."""
        request, function = self._request("GET", path, None, query)
        event = self._authorized(request)
        with self._stack.function(function).streamed(event, timeout_ms=timeout_ms) as invocation:
            arriving = invocation.arriving()
            prelude, _, first = next(arriving).partition(DELIMITER)
            assert json.loads(prelude)["statusCode"] == 200, prelude
            yield filter(None, chain([first], arriving))

    def _authorized(self, request: Request) -> JsonObject:
        answer = self._stack.function("authorizer").invoke(proxy_event.authorizer_event(request))
        assert proxy_event.allows(answer, proxy_event.method_arn(request))
        return proxy_event.proxy_event(request, proxy_event.authorizer_context(answer))

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, str]
    ) -> tuple[Request, str]:
        whole = f"/api/orgs/{self._org}/{path}"
        found = routes.match(method, whole)
        assert found is not None, f"no route: {method} {whole}"
        route, parameters = found
        content = b"" if body is None else json.dumps(body).encode()
        headers = (("Authorization", f"Bearer {self._key}"), ("Content-Type", "application/json"))
        return Request(
            method=method,
            path=whole,
            resource=route.resource,
            path_parameters=dict(parameters),
            headers=headers,
            query=tuple(query.items()),
            body=content,
            source_ip="127.0.0.1",
            request_id=str(uuid.uuid4()),
            now_ms=time.time_ns() // 1_000_000,
        ), route.function
