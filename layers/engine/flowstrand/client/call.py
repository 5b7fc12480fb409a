"""`Call`: one API request as data, shared by the asynchronous and the synchronous client."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import field

from flowstrand.client.connection import Connection
from flowstrand.client.start_options import ExecutionOptions, StartOptions, TraceOptions
from flowstrand.client.task_start_options import TaskStartOptions
from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import is_standalone_task
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.duration import Duration, to_positive_ms

PATIENCE_S = 15.0
"""How long an answer may take beyond the wait that was asked for."""
STREAM_SILENCE_S = 45.0
"""A live stream silent for this long is dead: heartbeats come every 15 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request.

    Attributes:
        content: the body, where it is no JSON.
        repeatable: repeating it after a lost reply changes nothing.
        starts: what it starts, and of which kind, such as `workflow order`: such a request carries the caller's trace.
        timeout_s: how long the server may be silent.
    """

    method: str
    path: str
    repeatable: bool
    json: JsonObject | None = None
    content: bytes | None = None
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    timeout_s: float = PATIENCE_S
    starts: str | None = None


def start(to: Connection, kind: str, input: JsonValue, options: StartOptions) -> Call:
    """Start an execution. Repeatable under an idempotency key only: otherwise a second one would start another.

    Raises:
        TypeError: there is no such option.
        InvalidDefinition: a duration is not more than 0, or absurd.
    """
    if unknown := options.keys() - StartOptions.__annotations__.keys():
        raise TypeError(f"there is no option {', '.join(sorted(unknown))}")
    body = new_execution(kind, input, options)
    return start_once(to.path("workflow-executions"), f"workflow {kind}", body, options)


def start_once(path: str, what: str, body: JsonObject, options: StartOptions | TaskStartOptions) -> Call:
    """Start what `body` describes: once only, where there is an idempotency key.

    Raises:
        InvalidDefinition: the time that the key lasts is not more than 0, or absurd.
    """
    key = options.get("idempotency_key")
    if key is not None:
        body["idempotencyKey"] = key
    if (ttl := options.get("idempotency_key_ttl")) is not None:
        body["idempotencyKeyTTL"] = in_seconds(ttl)
    return Call(
        method="POST",
        path=path,
        json=body,
        headers=trace_headers(options),
        repeatable=key is not None,
        starts=what,
    )


def trace_headers(options: TraceOptions) -> dict[str, str]:
    """The trace that the caller names, for the request."""
    given = {"traceparent": options.get("traceparent"), "tracestate": options.get("tracestate")}
    return {name: value for name, value in given.items() if value}


def new_execution(kind: str, input: JsonValue, options: ExecutionOptions) -> JsonObject:
    """What a request says of an execution that may have to be started.

    Raises:
        InvalidDefinition: the timeout is not more than 0, or absurd.
    """
    body: JsonObject = {"kind": kind, "input": input, "queue": options.get("queue", "default")}
    if (version := options.get("version")) is not None:
        body["version"] = version
    if (metadata := options.get("metadata")) is not None:
        body["metadata"] = metadata
    if (timeout := options.get("execution_timeout")) is not None:
        body["timeoutSeconds"] = to_positive_ms(timeout, "the timeout of an execution") / 1_000
    return body


def in_seconds(ttl: Duration) -> str:
    """A duration as the API writes it, in whole seconds, rounded up."""
    return f"{math.ceil(to_positive_ms(ttl, 'how long an idempotency key lasts') / 1_000)}s"


def get(to: Connection, execution_id: str) -> Call:
    """An execution as it is now."""
    return Call(method="GET", path=to.path("workflow-executions", execution_id), repeatable=True)


def state(to: Connection, execution_id: str, key: str | None) -> Call:
    """What its code has set; of one key, where that is given."""
    params = {} if key is None else {"key": key}
    path = to.path("workflow-executions", execution_id, "state")
    return Call(method="GET", path=path, params=params, repeatable=True)


def history(
    to: Connection,
    execution_id: str,
    *,
    after: int,
    limit: int | None = None,
    wait_s: int = 0,
    types: Iterable[str] = (),
) -> Call:
    """Events beyond `after`; with `wait_s`, as soon as there are some."""
    params = {"after": str(after)}
    if limit is not None:
        params["limit"] = str(limit)
    if wait_s:
        params["wait"] = str(wait_s)
    if wanted := ",".join(types):
        params["types"] = wanted
    path = to.path(*_log(execution_id), "events")
    return Call(method="GET", path=path, params=params, repeatable=True, timeout_s=wait_s + PATIENCE_S)


def stream(to: Connection, execution_id: str, *, after: int, format: str, silence_s: float) -> Call:
    """The live stream from behind `after`; `silence_s` is how long it may send nothing."""
    path = to.path(*_log(execution_id), "stream")
    return server_sent(path, {"format": format}, last_id=str(after or ""), silence_s=silence_s)


def stream_tree(to: Connection, execution_id: str, *, after: str, format: str) -> Call:
    """The live stream of an execution and its descendants, from behind the cursor `after`."""
    path = to.path("workflow-executions", execution_id, "stream", "consolidated")
    return server_sent(path, {"format": format}, last_id=after)


def server_sent(path: str, params: dict[str, str], *, last_id: str, silence_s: float = STREAM_SILENCE_S) -> Call:
    """What asks for Server-Sent Events behind `last_id`, which is empty for all of them."""
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    return Call(method="GET", path=path, params=params, headers=headers, repeatable=True, timeout_s=silence_s)


def _log(id: str) -> tuple[str, str]:
    """Where the log of an execution or of a standalone task is read."""
    return ("task-executions" if is_standalone_task(id) else "workflow-executions"), id
