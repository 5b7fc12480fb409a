"""Requests that change a running execution. Each can be repeated: by its request id, or because the first settles."""

from __future__ import annotations

import uuid
from dataclasses import replace

from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.errors import InvalidDefinition
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.sdk.serde import Serde


def signal(
    to: Connection, execution_id: str, name: str, value: JsonValue, *, request_id: str | None = None
) -> Call:
    """Send a signal."""
    body: JsonObject = {"signalName": name, "signalValue": value, "requestId": request_id or _new_id()}
    return _post(to, ["workflow-executions", execution_id, "signal"], body)


def signal_with_start(
    to: Connection,
    workflow_id: str,
    signal: tuple[str, JsonValue],
    execution: JsonObject,
    *,
    request_id: str | None = None,
    headers: dict[str, str],
) -> Call:
    """Send a signal, by name and value, to the execution of a key, or to `execution`, started for it, with its trace as headers."""
    name, value = signal
    body: JsonObject = {**execution, "workflowId": workflow_id, "signalName": name, "signalValue": value}
    body["requestId"] = request_id or _new_id()
    called = _post(to, ["workflow-executions", "signal-with-start"], body)
    return replace(called, headers=headers, starts=f"workflow {execution['kind']}")


def cancel(
    to: Connection,
    execution_id: str,
    *,
    reason: str | None = None,
    cascade: bool = True,
    force: bool = False,
    request_id: str | None = None,
) -> Call:
    """Ask an execution to end, or end it."""
    body: JsonObject = {"cascadeToChildren": cascade, "force": force, "requestId": request_id or _new_id()}
    if reason is not None:
        body["reason"] = reason
    return _post(to, ["workflow-executions", execution_id, "cancel"], body)


def retry(to: Connection, execution_id: str, *, reason: str | None = None, request_id: str | None = None) -> Call:
    """Begin an execution from the history of a failed one."""
    body: JsonObject = {"requestId": request_id or _new_id()}
    if reason is not None:
        body["reason"] = reason
    return _post(to, ["workflow-executions", execution_id, "retry"], body)


def resolve_promise(to: Connection, promise_id: str | None, key: str | None, value: JsonValue) -> Call:
    """Give a promise its value.

    Raises:
        InvalidDefinition: neither an id nor a key is given, or both.
    """
    return _post(to, ["promises", _address(promise_id, key), "resolve"], {"value": value})


def reject_promise(to: Connection, promise_id: str | None, key: str | None, *, type: str, message: str) -> Call:
    """Fail a promise. Raises what `resolve_promise` raises."""
    error: JsonObject = {"type": type, "message": message}
    return _post(to, ["promises", _address(promise_id, key), "reject"], {"error": error})


def value_of(payloads: PayloadCodecs, value: object, what: str) -> JsonValue:
    """`value` as the log has it.

    Raises:
        NotSerializable: it has no JSON form; `what` names it in the message.
    """
    return payloads.to_wire(Serde().encode(value, what))


def sequence_of(answer: JsonObject, field: str = "sequence") -> int:
    """The sequence that an answer tells."""
    sequence = answer[field]
    assert isinstance(sequence, int)
    return sequence


def _post(to: Connection, path: list[str], body: JsonObject) -> Call:
    return Call(method="POST", path=to.path(*path), json=body, repeatable=True)


def _address(promise_id: str | None, key: str | None) -> str:
    if (promise_id is None) == (key is None):
        raise InvalidDefinition("a promise is named by its id or by its key")
    return promise_id if promise_id is not None else f"key:{key}"


def _new_id() -> str:
    return uuid.uuid4().hex
