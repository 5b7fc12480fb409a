"""API Gateway's events and answers: an HTTP request as a REST proxy event, an authorizer's answer, a proxy response.

Fields as documented for Lambda proxy integration and REQUEST authorizers of REST APIs.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue

STAGE = "local"
_ACCOUNT = "000000000000"
_API = "flowstrand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request, whole.

    Attributes:
        path: as it was sent, percent-encoded.
        headers, query: in order, repetitions kept.
    """

    method: str
    path: str
    resource: str
    path_parameters: Mapping[str, str]
    headers: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    request_id: str
    now_ms: int


def proxy_event(request: Request, authorizer: JsonObject | None = None) -> JsonObject:
    """The event of a proxy integration. To an API that takes any type of content as binary, every body is, whatever its type."""
    event = _shared(request)
    context = event["requestContext"]
    if authorizer is not None and isinstance(context, dict):
        context["authorizer"] = authorizer
    event["body"] = base64.b64encode(request.body).decode() if request.body else None
    event["isBase64Encoded"] = bool(request.body)
    return event


def authorizer_event(request: Request) -> JsonObject:
    """The event of a REQUEST authorizer."""
    return {"type": "REQUEST", "methodArn": method_arn(request), **_shared(request)}


def method_arn(request: Request) -> str:
    """What the request invokes, as policies name it."""
    return f"arn:aws:execute-api:local:{_ACCOUNT}:{_API}/{STAGE}/{request.method}{request.path}"


def allows(policy: Mapping[str, Any], arn: str) -> bool:
    """Whether an authorizer's answer allows `arn`: some statement allows it and none denies it."""
    statements = _listed(policy.get("policyDocument", {}).get("Statement", []))
    effects = {
        statement.get("Effect")
        for statement in statements
        if any(_covers(resource, arn) for resource in _listed(statement.get("Resource", [])))
    }
    return "Allow" in effects and "Deny" not in effects


def _covers(resource: str, arn: str) -> bool:
    """Whether a resource of a policy means `arn`: `*` stands for any characters, slashes too, `?` for one, all else for itself."""
    parts = [{"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", resource)]
    return re.fullmatch("".join(parts), arn, re.DOTALL) is not None


def authorizer_context(answer: Mapping[str, Any]) -> JsonObject:
    """What handlers find of an authorizer's answer: its context, every value a string."""
    context: JsonObject = {name: _text(value) for name, value in answer.get("context", {}).items()}
    return {**context, "principalId": str(answer.get("principalId", "")), "integrationLatency": 0}


def response_body(response: Mapping[str, Any]) -> bytes:
    """The body of a proxy response."""
    body = response.get("body") or ""
    if response.get("isBase64Encoded"):
        return base64.b64decode(body)
    return body.encode() if isinstance(body, str) else bytes(body)


def response_headers(response: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers of a proxy response; `multiValueHeaders` win over `headers` of the same name."""
    many = response.get("multiValueHeaders") or {}
    named = {name.lower() for name in many}
    single = {k: v for k, v in (response.get("headers") or {}).items() if k.lower() not in named}
    pairs = [*((name, value) for name, values in many.items() for value in values), *single.items()]
    return [(name, _text(value)) for name, value in pairs]


def _shared(request: Request) -> JsonObject:
    """What proxy and authorizer events have in common."""
    parameters: JsonObject = dict(request.path_parameters)
    return {
        "resource": request.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict[str, JsonValue](request.headers),
        "multiValueHeaders": _grouped(request.headers),
        "queryStringParameters": dict[str, JsonValue](request.query) or None,
        "multiValueQueryStringParameters": _grouped(request.query) or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": _API,
            "stage": STAGE,
            "protocol": "HTTP/1.1",
            "requestId": request.request_id,
            "extendedRequestId": request.request_id,
            "requestTimeEpoch": request.now_ms,
            "resourceId": request.resource,
            "resourcePath": request.resource,
            "httpMethod": request.method,
            "path": f"/{STAGE}{request.path}",
            "identity": {"sourceIp": request.source_ip, "userAgent": dict(request.headers).get("user-agent")},
        },
    }


def _grouped(pairs: Iterable[tuple[str, str]]) -> JsonObject:
    grouped: dict[str, list[JsonValue]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return dict[str, JsonValue](grouped)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
