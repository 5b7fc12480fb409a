"""`World`: the deployed handlers on one store, a clock that the test moves, and the test as every worker and client."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, cast
from urllib.parse import quote

from flowstrand.engine.ids import OrgId, is_standalone_task
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.local import proxy_event, routes
from flowstrand.local.changes import LocalChanges
from flowstrand.local.functions import Functions
from flowstrand.local.payload_transfers import SignedTransfers
from flowstrand.local.stores import Stores
from flowstrand.log.port import Commit, EventLog, LogKey
from flowstrand.queues.in_process import InProcessControlQueue, InProcessTaskQueue
from flowstrand.queues.messages import dump
from flowstrand.service.container import Programs, Services
from flowstrand.service.settings import Settings
from flowstrand.service.tickets import StreamTickets
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.warm import WarmCache
from flowstrand.streams.response import StreamResponse
from flowstrand.timers.in_process import InProcessTimers
from tests.scenarios.app import APP

ORG = OrgId("acme")
START_MS = 1_795_435_200_000
_CALLER: JsonObject = {"org": ORG, "principals": "user,worker", "keyId": "test"}
_TRANSFER_SECRET = "a secret of at least thirty-two bytes"
_ROUNDS = 500


class StillClock:
    """Moves when somebody sleeps or the test says so."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    def sleep_ms(self, duration_ms: float) -> None:
        self.ms += max(1, round(duration_ms))


class PacedClock(StillClock):
    """Lets threads back off in earnest: else all that have lost a race try again at the same moment."""

    def sleep_ms(self, duration_ms: float) -> None:
        super().sleep_ms(duration_ms)
        time.sleep(duration_ms / 1_000)


class GoingClock(StillClock):
    """Goes by itself, as fast as any: what many threads wait for takes as long as it takes, not as often as they look."""

    def __init__(self) -> None:
        super().__init__()
        self._begun_s = time.monotonic()

    def now_ms(self) -> int:
        return self.ms + round((time.monotonic() - self._begun_s) * 1_000)

    def sleep_ms(self, duration_ms: float) -> None:
        time.sleep(duration_ms / 1_000)


class InterposedLog:
    """The store, with a place to act between a writer's decision and its append."""

    def __init__(self, inner: EventLog) -> None:
        self._inner = inner
        self.before_append: Callable[[Commit], None] | None = None

    def append(self, commit: Commit) -> None:
        act, self.before_append = self.before_append, None
        if act is not None:
            act(commit)
        self._inner.append(commit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class World:
    """One org on one store, driven step by step."""

    def __init__(
        self,
        stores: Stores,
        *,
        warm: int,
        programs: Programs = APP,
        clock: StillClock | None = None,
    ) -> None:
        self.clock = clock or StillClock()
        self.log = InterposedLog(stores.log)
        self.control = InProcessControlQueue(self.clock, 60_000)
        self.tasks = InProcessTaskQueue(self.clock)
        self.signed = SignedTransfers(_TRANSFER_SECRET, self.clock)
        self._functions = Functions.load()
        self.services = Services(
            log=cast(EventLog, self.log),
            payloads=stores.payloads,
            transfers=stores.transfers or self.signed,
            directory=stores.directory,
            control=self.control,
            tasks=self.tasks,
            timers=InProcessTimers(self.clock, self.control),
            clock=self.clock,
            random_bytes=secrets.token_bytes,
            programs=programs,
            tokens=LeaseTokens(secrets.token_hex(32)),
            changes=LocalChanges(),
            tickets=StreamTickets(secrets.token_hex(32), self.clock),
            warm=WarmCache(warm),
            settings=Settings(warm_executions=warm),
            retention=stores.retention,
        )

    # --- clients ------------------------------------------------------------------------------

    def start(self, kind: str, input: JsonValue = None) -> str:
        """Start an execution; nothing runs until `settle`."""
        answer = self.request("POST", "/workflow-executions", {"kind": kind, "input": input})
        assert answer.status == 201, answer
        return str(answer.body["workflowExecutionId"])

    def get(self, execution: str) -> Any:
        """The execution as clients see it."""
        return self.request("GET", f"/workflow-executions/{execution}").body

    def signal(self, execution: str, name: str, value: JsonValue = None) -> Answer:
        """Send a signal."""
        body: JsonObject = {"signalName": name, "signalValue": value}
        return self.request("POST", f"/workflow-executions/{execution}/signal", body)

    def cancel(self, execution: str, **body: JsonValue) -> Answer:
        """Ask an execution to end."""
        return self.request("POST", f"/workflow-executions/{execution}/cancel", body)

    def settle_promise(self, promise: str, verb: str, body: JsonObject) -> Answer:
        """Resolve or reject a promise, named by its id or `key:` and its key."""
        return self.request("POST", f"/promises/{quote(promise, safe=':')}/{verb}", body)

    def request(self, method: str, path: str, body: JsonValue = None, **query: str) -> Answer:
        """Call the function behind a route as API Gateway would."""
        route, event = self._event(method, path, body, query)
        response = self._functions.invoke(route.function, event)
        headers = {name: values[0] for name, values in response["multiValueHeaders"].items()}
        return Answer(response["statusCode"], json.loads(proxy_event.response_body(response) or b"null"), headers)

    def stream(self, log: str, **query: str) -> bytes:
        """Everything the SSE stream sends until it ends."""
        response = self.open_stream(log, **query)
        assert response.status == 200
        return asyncio.run(_join(response.body))

    def open_stream(self, log: str, **query: str) -> StreamResponse:
        """The streaming function's response, before its body."""
        return self.open_at(f"{self.path(log)}/stream", **query)

    def open_at(self, path: str, *, last_event_id: str = "", **query: str) -> StreamResponse:
        """The same of any stream of the org, from behind `last_event_id` if there is one."""
        headers = (("last-event-id", last_event_id),) if last_event_id else ()
        route, event = self._event("GET", path, None, query, headers)
        response: StreamResponse = self._functions.invoke(route.function, event)
        return response

    def sent_at(self, path: str, *, last_event_id: str = "", **query: str) -> bytes:
        """What such a stream sends until it ends; nothing where there is nothing left to send."""
        response = self.open_at(path, last_event_id=last_event_id, **query)
        assert response.status in {200, 204}
        return b"" if response.body is None else asyncio.run(_join(response.body))

    def open_tree(self, execution: str, **query: str) -> StreamResponse:
        """The same of the stream that is consolidated over an execution's descendants."""
        route, event = self._event("GET", f"{self.path(execution)}/stream/consolidated", None, query)
        response: StreamResponse = self._functions.invoke(route.function, event)
        return response

    def path(self, log: str) -> str:
        """Where a log is read: an execution's, or a standalone task's."""
        return f"/{'task' if is_standalone_task(log) else 'workflow'}-executions/{log}"

    def invoke(self, function: str, event: JsonObject) -> Any:
        """Call a function that answers no HTTP request."""
        return self._functions.invoke(function, event)

    def _event(
        self,
        method: str,
        path: str,
        body: JsonValue,
        query: dict[str, str],
        headers: tuple[tuple[str, str], ...] = (),
    ) -> tuple[routes.Route, JsonObject]:
        full = f"/api/orgs/{ORG}{path}"
        found = routes.match(method, full)
        assert found is not None, full
        route, parameters = found
        request = proxy_event.Request(
            method=method,
            path=full,
            resource=route.resource,
            path_parameters=parameters,
            headers=(("content-type", "application/json"), *headers),
            query=tuple(query.items()),
            body=b"" if body is None else json.dumps(body).encode(),
            source_ip="127.0.0.1",
            request_id=secrets.token_hex(8),
            now_ms=self.clock.ms,
        )
        return route, proxy_event.proxy_event(request, _CALLER)

    # --- workers ------------------------------------------------------------------------------

    def claim(self, *kinds: str) -> dict[str, Any]:
        """Claim one attempt of each kind, in one poll; by kind."""
        body: JsonValue = {"workerId": "w-1", "kinds": list(kinds), "max": 10, "wait": 0}
        tasks = self.request("POST", "/queues/default/poll", body).body["tasks"]
        claimed = {task["kind"]: task for task in tasks}
        assert set(claimed) == set(kinds)
        return claimed

    def claim_all(self, *kinds: str) -> list[Any]:
        """Claim every attempt of these kinds that can be claimed now."""
        body: JsonValue = {"workerId": "w-1", "kinds": list(kinds), "max": 10, "wait": 0}
        claimed: list[Any] = []
        while tasks := self.request("POST", "/queues/default/poll", body).body["tasks"]:
            claimed += tasks
        return claimed

    def complete(self, task: Any, output: JsonValue = None) -> int:
        """Report success; returns the sequence."""
        return self._report(task, "complete", {"output": output})

    def fail(self, task: Any, error_type: str = "ValueError") -> int:
        """Report failure; returns the sequence."""
        return self._report(task, "fail", {"error": {"type": error_type, "message": "no luck"}})

    def emit(self, task: Any, *chunks: JsonObject, request_id: str) -> Answer:
        """Send chunks of a running task."""
        emitted: list[JsonValue] = list(chunks)
        body: JsonObject = {"leaseToken": task["leaseToken"], "requestId": request_id, "chunks": emitted}
        return self.request("POST", f"/task-executions/{task['taskExecutionId']}/stream", body)

    def _report(self, task: Any, verb: str, body: JsonObject) -> int:
        path = f"/task-executions/{task['taskExecutionId']}/{verb}"
        answer = self.request("POST", path, {"leaseToken": task["leaseToken"], **body})
        assert answer.status == 200, answer
        return int(answer.body["sequence"])

    # --- the machinery ------------------------------------------------------------------------

    def settle(self) -> None:
        """Deliver every message that is due, until none is."""
        for _ in range(_ROUNDS):
            batch = self.control.receive(10, 0)
            if not batch:
                return
            records = [{"messageId": r.receipt, "body": dump(r.message)} for r in batch]
            failed = self._functions.invoke("resumer", {"Records": [_sqs(record) for record in records]})
            assert failed == {"batchItemFailures": []}
            for received in batch:
                self.control.acknowledge(received)
        raise AssertionError("the control queue never ran dry")

    @contextmanager
    def resuming(self) -> Iterator[None]:
        """The resumer runs beside the test, in a thread of its own, as it does where it is deployed."""
        stop = Event()
        with ThreadPoolExecutor(1) as thread:
            resumer = thread.submit(self._resume, stop)
            try:
                yield
            finally:
                stop.set()
                resumer.result()

    def _resume(self, stop: Event) -> None:
        while not stop.is_set():
            batch = self.control.receive(10, 0)
            if not batch:
                stop.wait(0.01)
                continue
            records = [{"messageId": r.receipt, "body": dump(r.message)} for r in batch]
            answer = self._functions.invoke("resumer", {"Records": [_sqs(record) for record in records]})
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            for received in batch:
                if received.receipt in failed:
                    self.control.release(received)
                else:
                    self.control.acknowledge(received)

    def jump(self, seconds: float) -> None:
        """Let time pass, and deliver what then is due."""
        self.clock.ms += round(seconds * 1_000)
        self.settle()

    def clean(self) -> Any:
        """Run the janitor as its schedule does."""
        return self._functions.invoke("janitor", {"detail-type": "Scheduled Event"})

    def key(self, execution: str) -> LogKey:
        """Whose log it is."""
        return LogKey.parse(f"{ORG}#{execution}")


def _sqs(record: dict[str, str]) -> JsonObject:
    return {
        "messageId": record["messageId"],
        "receiptHandle": record["messageId"],
        "body": record["body"],
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:control",
        "awsRegion": "eu-central-1",
    }


async def _join(chunks: Any) -> bytes:
    return b"".join([chunk async for chunk in chunks])
