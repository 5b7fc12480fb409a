"""The OpenAPI document: every operation, the schemas of its bodies, and those of events."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Collection, Iterator
from http import HTTPStatus
from itertools import groupby

from flowstrand.http.openapi import event_schemas, parameters
from flowstrand.http.openapi.model_schemas import AnyBody, ModelSchemas, model_schemas
from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.operations import OPERATIONS
from flowstrand.http.openapi.refusals import Refusal
from flowstrand.jsonvalue import JsonObject, JsonValue

VERSION = "3.1.0"

_TAGS = {
    "executions": "Starting, signalling and cancelling executions, and looking into them.",
    "reading": "History, long-poll and live streams: the same events in the same order.",
    "tickets": "What browsers show in place of a key.",
    "promises": "What somebody outside gives to an execution.",
    "schedules": "Starting executions at a moment, or by cron.",
    "definitions": "What can be started and scheduled.",
    "workers": "Who serves which kinds of tasks.",
    "queues": "Pausing and limiting what waits for workers.",
    "tasks": "Claiming and reporting tasks; standalone ones.",
    "payloads": "Values that are too large for a request.",
    "streams": "The Durable Streams protocol: executions, the org's feed, and channels, which are streams of anything.",
}
_ABOUT = (
    "Durable workflows: every execution is one ordered, gap-free event log. JSON is camelCase, ids are opaque strings, "
    "times are RFC 3339 in UTC. Every refusal is `{error, code, details?}`, has changed nothing, and may be told from "
    "others by its `code`."
)
_ERROR: JsonObject = {
    "type": "object",
    "description": "A request that was refused, and changed nothing. `code` is stable; `error` is for people.",
    "properties": {
        "error": {"type": "string"},
        "code": {"type": "string"},
        "details": {
            "type": "array",
            "description": "One for each fault; `pointer` is an RFC 6901 JSON pointer, or `/` and a parameter's name.",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
                "required": ["pointer", "message"],
            },
        },
    },
    "required": ["error", "code"],
}
_FRAME: JsonObject = {
    "type": "object",
    "description": (
        "One event of a stream. With `format=state`, `event` is `token`, `progress` or `error` for what tasks emit, and "
        "`data` for their data and for changes of state; with `format=cloudevents` it is the default, `message`."
    ),
    "properties": {
        "id": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "The position of a reader that has the event: its sequence, in an org's feed the feed's.",
        },
        "event": {"type": "string", "enum": ["token", "progress", "data", "error", "message"]},
        "data": {"type": "string", "description": "A token's text as it is; anything else as JSON."},
    },
    "required": ["id", "data"],
}
_CONSOLIDATED_FRAME: JsonObject = {
    "type": "object",
    "description": (
        "One event of a consolidated stream: as in a stream, but that its `id` is a cursor, and that with `format=state` "
        "changes of state also have `workflowExecutionId` and `sequence`. An event `refused`, which has no `id`, is an "
        "error's body and the last thing that comes: the stream cannot go on."
    ),
    "properties": {
        "id": {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*:[1-9][0-9]*:[A-Za-z0-9_-]+$",
            "description": "The execution and the sequence of the event, and where all the other logs stand.",
        },
        "event": {"type": "string", "enum": ["token", "progress", "data", "error", "message", "refused"]},
        "data": {"type": "string", "description": "A token's text as it is; anything else as JSON."},
    },
    "required": ["data"],
}
_HEADERS: JsonObject = {
    "Stream-Next-Offset": {
        "description": "Where to read on.",
        "required": True,
        "schema": {"type": "string", "pattern": "^([0-9A-Z]{26}_)?[0-9]{16}$"},
    },
    "Location": {"description": "The path of what was made.", "required": True, "schema": {"type": "string"}},
    "RetryAfter": {
        "required": True,
        "description": "Seconds after which repeating the request can help.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WwwAuthenticate": {
        "description": "The scheme.",
        "required": True,
        "schema": {"type": "string", "const": "Bearer"},
    },
}


def text(operations: Collection[Operation] = OPERATIONS) -> str:
    """The document as it is committed: sorted, so that a change shows where it is."""
    return json.dumps(document(operations), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def document(operations: Collection[Operation] = OPERATIONS) -> JsonObject:
    """The document, as JSON."""
    models = model_schemas([*_bodies(operations)])
    paths: dict[str, JsonObject] = {}
    for operation in operations:
        paths.setdefault(operation.resource, {})[operation.method.lower()] = _operation(operation, models)
    tags: list[JsonValue] = [{"name": name, "description": about} for name, about in _TAGS.items()]
    schemas: JsonObject = {
        **event_schemas.components(),
        **models.components,
        "Error": _ERROR,
        "StreamFrame": _FRAME,
        "ConsolidatedFrame": _CONSOLIDATED_FRAME,
    }
    return {
        "openapi": VERSION,
        "info": {
            "title": "Flowstrand",
            "version": importlib.metadata.version("flowstrand"),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8080", "description": "`flowstrand dev`"}],
        "tags": tags,
        "paths": {**paths},
        "components": {
            "schemas": schemas,
            "parameters": parameters.components(),
            "headers": _HEADERS,
            "responses": _refused_in(operations),
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, a token of an identity provider, or a proof of an AWS identity.",
                },
                "ticket": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "ticket",
                    "description": "A stream ticket, where a reader cannot send a header.",
                },
            },
        },
    }


def _bodies(operations: Collection[Operation]) -> Iterator[AnyBody]:
    """Every model that some operation reads or writes."""
    for operation in operations:
        if operation.body is not None:
            yield operation.body
        yield from (answer.body for answer in operation.answers.values() if answer.body is not None)


def _operation(operation: Operation, models: ModelSchemas) -> JsonObject:
    found: JsonObject = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [*_security(operation)],
        "parameters": [*_parameters(operation)],
        "responses": _responses(operation, models),
    }
    if operation.description:
        found["description"] = operation.description
    if operation.body is not None:
        found["requestBody"] = {"required": True, "content": _json(models.of[operation.body])}
    if operation.takes_any:
        found["requestBody"] = {"required": False, "content": {"*/*": {}}}
    return found


def _security(operation: Operation) -> Iterator[JsonValue]:
    yield {"apiKey": [operation.principal.value]}
    if operation.takes_ticket:
        yield {"ticket": []}


def _parameters(operation: Operation) -> Iterator[JsonValue]:
    yield from parameters.of_path(operation.resource)
    if operation.query is not None:
        yield from parameters.of_model(operation.query, "query")
    if operation.headers is not None:
        yield from parameters.of_model(operation.headers, "header")


def _responses(operation: Operation, models: ModelSchemas) -> JsonObject:
    responses: JsonObject = {
        str(status): _answer(answer, models) for status, answer in sorted(operation.answers.items())
    }
    for status, refusals in _by_status(operation):
        responses[str(status)] = {"$ref": f"#/components/responses/{_name(refusals)}"}
    return responses


def _by_status(operation: Operation) -> Iterator[tuple[int, list[Refusal]]]:
    for status, group in groupby(operation.all_refusals(), key=lambda refusal: refusal.status):
        yield status, [*group]


def _refused_in(operations: Collection[Operation]) -> JsonObject:
    """The refusals of one status that some operation can give: a component for each set of codes."""
    groups = [group for operation in operations for group in _by_status(operation)]
    return {_name(refusals): _refused(status, refusals) for status, refusals in groups}


def _name(refusals: list[Refusal]) -> str:
    """`ExecutionNotFoundOrNotFound` of the codes that a response can have."""
    return "Or".join(refusal.code.replace("_", " ").title().replace(" ", "") for refusal in refusals)


def _answer(answer: Answer, models: ModelSchemas) -> JsonObject:
    response: JsonObject = {"description": answer.meaning}
    if answer.is_stream:
        response["content"] = {"text/event-stream": {"schema": {"$ref": f"#/components/schemas/{answer.frame}"}}}
    elif answer.is_any:
        response["content"] = {"*/*": {}}
    elif answer.body is not None:
        response["content"] = _json(models.of[answer.body])
    headers = (*answer.headers, *(("Location",) if answer.has_location else ()))
    return {**response, "headers": {name: _header(name) for name in headers}} if headers else response


def _refused(status: int, refusals: list[Refusal]) -> JsonObject:
    codes: list[JsonValue] = [refusal.code for refusal in refusals]
    lines = [f"`{refusal.code}`: {refusal.meaning}" for refusal in refusals]
    response: JsonObject = {
        "description": "\n\n".join([HTTPStatus(status).phrase, *lines]),
        "content": _json(
            {"allOf": [{"$ref": "#/components/schemas/Error"}, {"properties": {"code": {"enum": codes}}}]}
        ),
    }
    if status == HTTPStatus.UNAUTHORIZED:
        response["headers"] = {"WWW-Authenticate": _header("WwwAuthenticate")}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response["headers"] = {"Retry-After": _header("RetryAfter")}
    return response


def _header(name: str) -> JsonObject:
    return {"$ref": f"#/components/headers/{name}"}


def _json(schema: JsonObject) -> JsonObject:
    return {"application/json": {"schema": schema}}
