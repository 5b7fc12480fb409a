"""The worker's routes of the API in memory: a queue of tasks, and a record of what the worker said."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from flowstrand.jsonvalue import JsonObject, JsonValue

PREFIX = "/api/orgs/acme"
Answer = tuple[int, JsonObject]


@dataclass
class FakeServer:
    """`say` makes the next answers of a route differ; an exception is a network error."""

    heartbeat_ms: int = 60_000
    cancel_requested: bool = False
    retry_after_s: int | None = None
    """What scripted refusals say about when to ask again."""
    requests: list[tuple[str, JsonObject]] = field(default_factory=list)
    reports: dict[str, tuple[str, JsonObject]] = field(default_factory=dict)
    beside: Callable[[httpx2.Request], httpx2.Response] | None = None
    """Answers what is asked about payloads, and at any other host."""
    states: list[str] = field(default_factory=list)
    """What the worker said that it is doing."""
    streamed: list[JsonValue] = field(default_factory=list)
    """Every chunk recorded, in order; a report as the name of its action."""
    logged: dict[str, dict[int, list[JsonValue]]] = field(default_factory=lambda: defaultdict(dict))
    """By task and batch, the records that were kept."""
    _stream_requests: set[str] = field(default_factory=set)
    _queues: dict[str, asyncio.Queue[JsonObject]] = field(default_factory=lambda: defaultdict(asyncio.Queue))
    _scripts: dict[str, list[Answer | Exception]] = field(default_factory=lambda: defaultdict(list))
    _waiters: list[tuple[Callable[[], bool], asyncio.Event]] = field(default_factory=list)
    _created: int = 0

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._handle)

    def add(
        self,
        kind: str,
        input: JsonValue = None,
        *,
        attempt: int = 1,
        queue: str = "default",
        non_retryable: tuple[str, ...] = (),
        heartbeat_details: JsonValue = None,
        input_url: str | None = None,
    ) -> str:
        """A task to be claimed; returns its id."""
        self._created += 1
        task_id = f"e.t{self._created}"
        self._queues[queue].put_nowait(
            {
                "taskExecutionId": task_id,
                "workflowExecutionId": "e",
                "kind": kind,
                "input": input,
                "attempt": attempt,
                "maxRetries": 3,
                "leaseToken": f"lease-{task_id}",
                "leaseEndsAt": "2030-01-01T00:00:00.000Z",
                "heartbeatMs": self.heartbeat_ms,
                "heartbeatDetails": heartbeat_details,
                **({"inputUrl": input_url} if input_url else {}),
                **({"nonRetryable": list(non_retryable)} if non_retryable else {}),
            }
        )
        return task_id

    def say(self, action: str, *answers: Answer | Exception) -> None:
        """What the next requests of `action` (`workers`, `poll`, `complete`, …) get instead of the usual answer."""
        self._scripts[action].extend(answers)

    def count(self, action: str) -> int:
        """How often the worker asked for `action`."""
        return sum(_action(path) == action for path, _ in self.requests)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until a request has made `happened` true."""
        event = asyncio.Event()
        self._waiters.append((happened, event))
        self._notify()
        await asyncio.wait_for(event.wait(), 10)

    async def report_of(self, task_id: str) -> tuple[str, JsonObject]:
        """`("complete" | "fail", body)`, when it has come."""
        await self.until(lambda: task_id in self.reports)
        return self.reports[task_id]

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        if self.beside and (request.url.host != "server" or request.url.path.endswith("/payloads")):
            return self.beside(request)
        path, body = request.url.path, json.loads(request.content)
        assert path.startswith(PREFIX)
        assert request.headers["authorization"] == "Bearer key"
        self.requests.append((path, body))
        self._notify()
        action = _action(path)
        if self._scripts[action]:
            scripted = self._scripts[action].pop(0)
            self._notify()
            if isinstance(scripted, Exception):
                raise scripted
            headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
            return httpx2.Response(scripted[0], json=scripted[1], headers=headers)
        status, answer = await self._answer(path.removeprefix(PREFIX).split("/")[1:], body)
        self._notify()
        return httpx2.Response(status, json=answer)

    async def _answer(self, segments: list[str], body: dict[str, Any]) -> Answer:
        match segments:
            case ["workers"]:
                worker_id = body.get("workerId") or f"worker-of-{'-'.join(body['queues'])}"
                return 201, {"workerId": worker_id, "missingKinds": [], "heartbeatMs": self.heartbeat_ms}
            case ["queues", queue, "poll"]:
                return 200, {"tasks": await self._claim(queue, body["max"], body["wait"])}
            case ["workers", _, "heartbeat"]:
                self.states.append(body["state"])
                return 200, {"state": body["state"]}
            case ["task-executions", _, "heartbeat"]:
                return 200, {"cancelRequested": self.cancel_requested}
            case ["task-executions", task_id, ("complete" | "fail") as action]:
                assert body["leaseToken"] == f"lease-{task_id}"
                self.reports[task_id] = (action, body)
                self.streamed.append(action)
                return 200, {"sequence": len(self.reports)}
            case ["task-executions", task_id, "stream"]:
                assert body["leaseToken"] == f"lease-{task_id}"
                if body["requestId"] not in self._stream_requests:
                    self._stream_requests.add(body["requestId"])
                    self.streamed += body["chunks"]
                return 200, {"sequence": len(self.streamed)}
            case ["task-executions", task_id, "logs"]:
                assert body["leaseToken"] == f"lease-{task_id}"
                self.logged[task_id].setdefault(body["batch"], body["records"])
                return 200, {"batchesLeft": 500 - body["batch"]}
            case _:
                return 404, {"error": "no such route", "code": "NOT_FOUND"}

    async def _claim(self, queue: str, most: int, wait_s: float) -> list[JsonValue]:
        source = self._queues[queue]
        try:
            claimed: list[JsonValue] = [await asyncio.wait_for(source.get(), wait_s)]
        except TimeoutError:
            return []
        while len(claimed) < most and not source.empty():
            claimed.append(source.get_nowait())
        return claimed

    def _notify(self) -> None:
        for happened, event in self._waiters:
            if happened():
                event.set()


def _action(path: str) -> str:
    """What a request is for: the last part of its path, but `state` where a worker says what it is doing."""
    *_, owner, _, action = path.split("/")
    return "state" if (owner, action) == ("workers", "heartbeat") else action
