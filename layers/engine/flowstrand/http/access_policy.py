"""What an authorizer answers API Gateway with: the routes that a caller may reach, and who they are.

API Gateway keeps the answer for a credential and holds every route that is asked for next against it. So it names all routes of the
caller's org, and no other: a route of another org is denied, which API Gateway answers as handlers do, with 404.

In a resource, `*` stands for anything, slashes too. Therefore methods are spelled out, so that the org stands at one fixed place of the
path; and a path that could be read as a pattern is not allowed at all (nothing here is called so).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from flowstrand.jsonvalue import JsonObject, JsonValue

_ROUTES = {
    "/api/orgs": ("GET", "POST", "PUT", "DELETE"),
    "/v1/stream/orgs": ("GET", "HEAD", "POST", "PUT", "DELETE"),
}
"""Where the name of an org stands in paths, and the methods that there are beneath it."""
_PATTERN_CHARACTERS = frozenset("*?$")
"""What makes a pattern or a variable of a resource."""


def allow_org(
    method_arn: str, org: str, *, principal: str, context: JsonObject, usage_key: str | None = None
) -> JsonObject:
    """Allow every route of `org`, on the stage that was asked; `org` is a name. `usage_key` is what API Gateway counts them with."""
    stage = _stage(method_arn)
    resources = [
        f"{stage}/{method}{prefix}/{spelled}/*"
        for spelled in _spellings(org)
        for prefix, methods in _ROUTES.items()
        for method in methods
    ]
    return _answer("Allow", resources, principal, context, usage_key)


def allow_route(
    method_arn: str, *, principal: str, context: JsonObject, usage_key: str | None = None
) -> JsonObject:
    """Allow the one route that was asked for."""
    if _PATTERN_CHARACTERS.intersection(method_arn):
        return _answer("Deny", [f"{_stage(method_arn)}/*"], principal, context, usage_key)
    return _answer("Allow", [method_arn], principal, context, usage_key)


def api_url(method_arn: str) -> str:
    """What clients know the API as that was asked, without a domain of one's own."""
    _, partition, _, region, _, path = method_arn.split(":", 5)
    api, stage, _ = path.split("/", 2)
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return f"https://{api}.execute-api.{region}.{suffix}/{stage}"


def _stage(method_arn: str) -> str:
    api, stage, _ = method_arn.split("/", 2)
    return f"{api}/{stage}"


def _spellings(org: str) -> Iterator[str]:
    """How the name stands in a path: of what names hold, clients may encode the colon."""
    yield from dict.fromkeys((org, quote(org, safe="")))


def _answer(
    effect: str, resources: Sequence[str], principal: str, context: JsonObject, usage_key: str | None
) -> JsonObject:
    listed: list[JsonValue] = list(resources)
    statement: JsonObject = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": listed}
    answer: JsonObject = {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
    return answer if usage_key is None else {**answer, "usageIdentifierKey": usage_key}
