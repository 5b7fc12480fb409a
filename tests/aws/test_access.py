"""Who may what: without a key nothing, with another org's key nothing of this org; pages of other origins may ask."""

from __future__ import annotations

import httpx2

from tests.aws.stack import Stack


def test_without_a_key_everything_is_refused(stack: Stack) -> None:
    for path in ("/workflow-executions", "/workflow-executions/any/events", "/workflow-executions/any/stream"):
        refused = stack.request("GET", path, key="")
        assert refused.status == 401, path
        if not stack.is_ministack:  # which has words of its own for that
            assert refused.body["code"] == "UNAUTHENTICATED", path
    assert stack.request("GET", "/workflow-executions", key="fsk_nobodys").status in {401, 403}


def test_another_orgs_key_finds_nothing(stack: Stack) -> None:
    execution = stack.start("once")
    # The authorizer's policy is the org's alone; what API Gateway says where it does not allow a route, the template turns into 404.
    refused = 403 if stack.is_ministack else 404
    for path in (f"/workflow-executions/{execution}", f"/workflow-executions/{execution}/events"):
        assert stack.request("GET", path, key=stack.stranger).status == refused, path


def test_a_page_of_another_origin_may_ask_without_a_key_whether_it_may_send_one(stack: Stack) -> None:
    allowed = httpx2.options(f"{stack.url}/api/orgs/{stack.org}/workflow-executions", timeout=60)
    assert allowed.status_code == 200
    if not stack.is_ministack:
        assert "Authorization" in allowed.headers["access-control-allow-headers"]
