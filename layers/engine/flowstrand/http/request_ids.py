"""What an API Gateway proxy event is about, for logs: the request's own id, and the execution or task that its path names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.engine.names import is_id

_EXECUTIONS = ("/workflow-executions/{id}", "/executions/{id}")
_TASKS = "/task-executions/{id}"


def request_ids(event: Mapping[str, Any]) -> dict[str, str]:
    """Of any event; one that is no request has none. What is in a path and is no id is left out: a promise's key, say."""
    context = event.get("requestContext")
    if not isinstance(context, Mapping):
        return {}
    found = {"requestId": context.get("requestId"), **_named(event)}
    return {name: id for name, id in found.items() if isinstance(id, str) and is_id(id)}


def _named(event: Mapping[str, Any]) -> dict[str, Any]:
    resource, parameters = str(event.get("resource") or ""), event.get("pathParameters") or {}
    if _TASKS in resource:
        return {"taskId": parameters.get("id")}
    if any(part in resource for part in _EXECUTIONS):
        return {"executionId": parameters.get("id")}
    return {}
