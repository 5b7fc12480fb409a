"""A server for client tests, in memory: one execution's log over the routes of the contract, and faults on demand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx2

from flowstrand.jsonvalue import JsonObject, JsonValue

EXECUTION = "01JDX5K7Q2ZB4M8N0P3R6T9V1W"
FAILING_TASK = (
    "WORKFLOW_STARTED",
    "TASK_CREATED",
    "WORKFLOW_SUSPENDED",
    "TASK_STARTED",
    "TASK_FAILED",
    "WORKFLOW_RESUMED",
    "WORKFLOW_COMPLETED",
)


class CutConnection(httpx2.AsyncByteStream, httpx2.SyncByteStream):
    """A body of which only some arrives before the connection breaks."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        raise httpx2.ReadError("the connection broke")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        raise httpx2.ReadError("the connection broke")


@dataclass
class FakeApi:
    """What the client talks to.

    Attributes:
        cuts: after how many bytes each of the next streams breaks.
        faults: what the next requests meet instead of an answer.
        requests: everything that was asked.
        continued_as: what the execution has continued as; that one is the same but for its id and its output.
    """

    types: tuple[str, ...] = FAILING_TASK
    status: str = "COMPLETED"
    output: JsonValue = None
    error: JsonObject | None = None
    continued_as: str | None = None
    failure_type: str | None = None
    page_size: int = 100
    cuts: list[int] = field(default_factory=list)
    faults: list[httpx2.Response | Exception] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)

    @property
    def transport(self) -> httpx2.MockTransport:
        """What to make a client with."""
        return httpx2.MockTransport(self.handle)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        path = request.url.path
        if request.method == "POST" and not path.endswith("/workflow-executions"):
            return self._command(path.rpartition("/")[2])
        if request.method == "POST":
            return httpx2.Response(201, json={"workflowExecutionId": EXECUTION, "status": "PENDING"})
        if path.endswith("/stream"):
            return self._stream(request)
        if path.endswith("/events"):
            return self._page(request)
        return httpx2.Response(200, json=self._snapshot(path.rpartition("/")[2]))

    def frames(self, after: int) -> bytes:
        """What an uninterrupted stream sends from there."""
        return b"retry: 0\n\n" + b"".join(
            f"id: {sequence}\nevent: data\ndata: {json.dumps(self._state_event(sequence))}\n\n".encode()
            for sequence in range(after + 1, len(self.types) + 1)
        )

    def _command(self, verb: str) -> httpx2.Response:
        """A request that changes the execution, by the last word of its path."""
        match verb:
            case "signal":
                return httpx2.Response(200, json={"signalEventSequence": 5})
            case "signal-with-start":
                return httpx2.Response(201, json={"workflowExecutionId": EXECUTION, "signalEventSequence": 2})
            case "cancel":
                return httpx2.Response(200, json={"sequence": 6})
            case "retry":
                retried = f"{EXECUTION}.r0123456789abcdef"
                return httpx2.Response(201, json={"workflowExecutionId": retried, "retriedFrom": EXECUTION})
            case "resolve" | "reject":
                return httpx2.Response(200, json={"sequence": 7, "alreadyResolved": verb == "reject"})
            case _:
                return httpx2.Response(404, json={"error": "no such route", "code": "ROUTE_NOT_FOUND"})

    def _stream(self, request: httpx2.Request) -> httpx2.Response:
        after = int(request.headers.get("last-event-id", "0"))
        if after == len(self.types):
            return httpx2.Response(204)
        headers = {"content-type": "text/event-stream"}
        if self.cuts:
            return httpx2.Response(
                200, headers=headers, stream=CutConnection(self.frames(after)[: self.cuts.pop(0)])
            )
        return httpx2.Response(200, headers=headers, content=self.frames(after))

    def _page(self, request: httpx2.Request) -> httpx2.Response:
        after = int(request.url.params["after"])
        last = min(after + self.page_size, len(self.types))
        wanted = request.url.params.get("types")
        events: list[JsonValue] = [
            {
                "sequence": sequence,
                "type": self.types[sequence - 1],
                "timestamp": "2024-11-23T09:00:00.000Z",
                "data": {},
            }
            for sequence in range(after + 1, last + 1)
            if wanted is None or self.types[sequence - 1] in wanted.split(",")
        ]
        up_to_date = last == len(self.types)
        return httpx2.Response(
            200, json={"events": events, "nextAfter": last, "upToDate": up_to_date, "closed": self.is_closed}
        )

    @property
    def is_closed(self) -> bool:
        return self.types[-1] in {"WORKFLOW_COMPLETED", "WORKFLOW_FAILED", "WORKFLOW_CANCELLED"}

    def _snapshot(self, execution_id: str) -> JsonObject:
        snapshot: JsonObject = {
            "workflowExecutionId": execution_id,
            "kind": "failing-task",
            "status": self.status,
            "createdAt": "2024-11-23T09:00:00.000Z",
            "currentSequence": len(self.types),
            "queue": "default",
            "output": self.output,
            "failureType": self.failure_type,
        }
        if self.continued_as and execution_id == EXECUTION:
            snapshot |= {"continuedAs": self.continued_as, "output": None}
        return snapshot if self.error is None else {**snapshot, "error": self.error}

    def _state_event(self, sequence: int) -> JsonObject:
        type = self.types[sequence - 1]
        return {"type": "Event", "event": type, "data": {"kind": "k"}, "timestampMs": 1_000 + sequence}
