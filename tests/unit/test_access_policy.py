"""The policy of a caller allows the routes of its org and no others, over the whole route table, however paths are written.

`proxy_event.allows` reads policies as IAM does: `*` stands for any characters, slashes too, `?` for one, and all else for itself.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.names import NAME_PATTERN
from flowstrand.http.access_policy import allow_org, allow_route, api_url
from flowstrand.local import proxy_event
from flowstrand.local.routes import ROUTES, Route

STAGE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/live"
ARN = f"{STAGE}/GET/api/orgs/acme/workers"
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]
ORGS = st.from_regex(NAME_PATTERN, fullmatch=True)
IDS = st.text(min_size=1, max_size=40) | st.sampled_from(
    ["*", "?", "a/api/orgs/acme/b", "x/GET/api/orgs/acme/workers", "../acme", "${aws:username}", "[a-z]"]
)


def policy(org: str) -> dict[str, Any]:
    return allow_org(ARN, org, principal="p", context={})


def arn_of(route: Route, org: str, id: str = "01M844DZG0CDP62TBDCNJ2TB9D") -> str:
    """What a request for a route invokes: with its path as it is sent, except for what is to be tried."""
    path = route.resource.replace("{org}", org)
    return f"{STAGE}/{route.method}{re.sub(r'{[a-zA-Z]+}', lambda _: id, path)}"


@pytest.mark.parametrize("org", ["acme", "a", "Team_7.eu", "with:colon"])
def test_every_route_of_ones_own_org_is_allowed(org: str) -> None:
    for route in ROUTES:
        for spelled in (org, quote(org, safe="")):
            assert proxy_event.allows(policy(org), arn_of(route, spelled)), route


@pytest.mark.parametrize(
    "other",
    ["other", "acme2", "xacme", "acm", "acme.x", "ACME", "acme%2Fx", "x%2Facme", "*", "acm?", "%61cme", "acme%00"],
)
def test_no_route_of_another_org_is(other: str) -> None:
    for route in ROUTES:
        assert not proxy_event.allows(policy("acme"), arn_of(route, other)), route


@given(org=ORGS, other=ORGS, id=IDS, route=st.sampled_from(ROUTES), is_encoded=st.booleans())
def test_what_else_is_in_a_path_gives_nobody_another_org(
    org: str, other: str, id: str, route: Route, is_encoded: bool
) -> None:
    written = quote(id, safe="") if is_encoded else id
    assert proxy_event.allows(policy(org), arn_of(route, other, written)) is (org == other)
    assert proxy_event.allows(policy(org), arn_of(route, quote(other, safe=""), written)) is (org == other)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/test/GET/api/orgs/acme/workers",
        "arn:aws:execute-api:eu-central-1:123456789012:zzzzzzzzzz/live/GET/api/orgs/acme/workers",
        "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/live/GET/api/orgs/acme/workers",
        f"{STAGE}/GET/api/orgs/acme",
        f"{STAGE}/GET/other/api/orgs/acme/workers",
        f"{STAGE}/GET/",
    ],
)
def test_another_stage_another_api_and_what_is_no_orgs_are_not_allowed(arn: str) -> None:
    assert not proxy_event.allows(policy("acme"), arn)


def test_the_answer_is_the_same_for_every_route_that_the_same_credential_asks_for() -> None:
    asked = {json.dumps(allow_org(arn_of(route, "acme"), "acme", principal="p", context={})) for route in ROUTES}
    assert len(asked) == 1


def test_the_policy_of_the_longest_name_is_of_moderate_size() -> None:
    assert len(json.dumps(policy("a:" * 64))) < 6_000


def test_every_method_of_the_table_is_among_those_of_its_prefix() -> None:
    assert {route.method for route in ROUTES} == set(METHODS)


@given(id=IDS, method=st.sampled_from(["GET", "HEAD"]))
def test_a_ticket_allows_the_one_route_that_was_asked_for(id: str, method: str) -> None:
    path = f"/api/orgs/acme/workflow-executions/{id}/stream"
    answer = allow_route(f"{STAGE}/{method}{path}", principal="p", context={})

    assert not proxy_event.allows(answer, f"{STAGE}/{method}/api/orgs/acme/workflow-executions/another/stream")
    assert not proxy_event.allows(answer, f"{STAGE}/{method}/api/orgs/other/workflow-executions/{id}/stream")
    assert proxy_event.allows(answer, f"{STAGE}/{method}{path}") is not any(c in id for c in "*?$")


@pytest.mark.parametrize(
    ("arn", "url"),
    [
        (ARN, "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/live"),
        (
            "arn:aws-cn:execute-api:cn-north-1:123456789012:x/prod/GET/a:b",
            "https://x.execute-api.cn-north-1.amazonaws.com.cn/prod",
        ),
    ],
)
def test_an_api_is_known_by_the_url_that_the_stack_tells(arn: str, url: str) -> None:
    assert api_url(arn) == url
