"""A deployed stack as its users see it: one URL, keys, and HTTP. Where it is, the environment says; `scripts/e2e` sets that."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2

from flowstrand.jsonvalue import JsonObject, JsonValue

VARIABLE = "FLOWSTRAND_E2E_URL"
_ANSWER_S = 300.0
"""Also that of a function that has to be started first, on a machine that has other things to do."""
_POLL_S = 20
_BUSY = {429, 500, 502, 503, 504}
"""What API Gateway and the functions answer where too much is asked of them at once. The request is made again, as the same one."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 16.0
"""Before that, at most."""
_DELIMITER = b"\0" * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and a body."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One org of a deployed stack.

    Attributes:
        url: what clients take as FLOWSTRAND_URL.
        stranger: a key of another org.
        is_ministack: the emulator. Responses of the stream function arrive whole, and still have their prelude.
    """

    url: str
    org: str
    key: str
    stranger: str
    is_ministack: bool

    @classmethod
    def from_environment(cls) -> Stack:
        """The one that the environment describes."""
        return cls(
            url=os.environ[VARIABLE],
            org=os.environ["FLOWSTRAND_E2E_ORG"],
            key=os.environ["FLOWSTRAND_E2E_API_KEY"],
            stranger=os.environ["FLOWSTRAND_E2E_STRANGERS_KEY"],
            is_ministack=os.environ.get("FLOWSTRAND_E2E_MINISTACK") == "1",
        )

    def request(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        key: str | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Answer:
        """One exchange, whatever comes of it, with the org's own key if no other is given. `path` is relative to the org."""
        answer = httpx2.request(
            method,
            f"{self.url}/api/orgs/{self.org}{path}",
            json=body,
            params=query or {},
            headers=self._headers(self.key if key is None else key),
            timeout=_ANSWER_S,
        )
        return Answer(
            status=answer.status_code, body=answer.json() if answer.content else None, headers=answer.headers
        )

    def ask(self, method: str, path: str, body: JsonValue = None, **query: str | int) -> Answer:
        """The same, until somebody has time for it."""
        pause_s = _FIRST_PAUSE_S
        while (answer := self.request(method, path, body, query=query)).status in _BUSY:
            time.sleep(random.uniform(0, pause_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        assert answer.status < 300, answer
        return answer

    def start(self, kind: str, input: JsonValue = None, **more: JsonValue) -> str:
        """Start an execution; its id."""
        given: JsonObject = {"kind": kind, "input": input, "idempotencyKey": uuid4().hex, **more}
        return str(self.ask("POST", "/workflow-executions", given).body["workflowExecutionId"])

    def get(self, execution: str) -> Any:
        """What the execution's own route says of it."""
        return self.ask("GET", f"/workflow-executions/{execution}").body

    def await_event(self, execution: str, type: str) -> JsonObject:
        """The first event of a type; waits until there is one."""
        after = 0
        while True:
            page = self.events(execution, after=after, wait=_POLL_S)
            for event in page["events"]:
                if event["type"] == type:
                    found: JsonObject = event
                    return found
            assert not page["closed"], f"{execution} has ended without {type}"
            after = page["nextAfter"]

    def await_end(self, execution: str) -> list[JsonObject]:
        """The whole log, read by long-poll while it is written."""
        log: list[JsonObject] = []
        while True:
            page = self.events(execution, after=len(log), wait=_POLL_S)
            log += page["events"]
            if page["closed"] and page["upToDate"]:
                return log

    def events(self, execution: str, **query: str | int) -> Any:
        """One page of history."""
        return self.ask("GET", f"/workflow-executions/{execution}/events", **query).body

    def stream(self, path: str, *, root: str = "/api", after: str = "", **query: str) -> Answer:
        """One connection to a stream, from its beginning to its end; what was sent, as bytes."""
        headers = {**self._headers(self.key), **({"Last-Event-ID": after} if after else {})}
        url = f"{self.url}{root}/orgs/{self.org}{path}"
        answer = httpx2.get(url, params=query, headers=headers, timeout=_ANSWER_S)
        prelude, delimiter, body = answer.content.partition(_DELIMITER)
        if not self.is_ministack or not delimiter:
            return Answer(status=answer.status_code, body=answer.content, headers=answer.headers)
        head = json.loads(prelude)
        return Answer(status=head["statusCode"], body=body, headers=httpx2.Headers(head["headers"]))

    def _headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}
