"""`Application`: what routes raise becomes what the contract says, and concurrent requests do not see each other."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.errors import (
    ConfigurationError,
    Conflict,
    LogCorrupted,
    QuotaExceeded,
    StoreUnavailable,
    TaskFailed,
    Unavailable,
)
from flowstrand.http.application import ORG, Application, call_of
from flowstrand.http.errors import json_response
from flowstrand.http.later_routes import LaterRoutes
from flowstrand.service.container import Services
from flowstrand.service.keys import Principal
from functions.executions.app import application as application_of_executions
from tests.functions.stack import Stack, body_of, sample


def application(stack: Stack, action: Callable[[Request], None]) -> Application:
    """One route, which does `action` and then says who called."""
    router = Router()

    @router.get(f"{ORG}/workflow-executions/<execution_id>")
    def route(request: Request, org: str, execution_id: str) -> Response[str]:
        action(request)
        call = call_of(request)
        return json_response(
            200, {"path": org, "caller": call.org, "key": call.identity.key_id, "id": execution_id}
        )

    return Application("test", Principal.USER, [router], lambda: stack.services)


def failing(error: Exception) -> Callable[[Request], None]:
    """An action that raises `error`."""

    def action(_: Request) -> None:
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (Conflict("no", code="STALE_ATTEMPT"), 409, "STALE_ATTEMPT", None),
        (QuotaExceeded("slow down", retry_after_s=7), 429, "QUOTA_EXCEEDED", ["7"]),
        (QuotaExceeded("slow down"), 429, "QUOTA_EXCEEDED", ["1"]),
        (Unavailable("later", code="BUSY", retry_after_s=0), 503, "BUSY", ["0"]),
        (StoreUnavailable("throttled by table secret-name"), 503, "STORE_UNAVAILABLE", ["1"]),
        (LogCorrupted("secret-name"), 500, "INTERNAL_ERROR", None),
        (ConfigurationError("secret-name"), 500, "INTERNAL_ERROR", None),
        (TaskFailed("secret-name", kind="k", error_type="E"), 500, "INTERNAL_ERROR", None),
        (ValueError("secret-name"), 500, "INTERNAL_ERROR", None),
        (RecursionError("secret-name"), 500, "INTERNAL_ERROR", None),
    ],
)
def test_an_error_becomes_its_status_and_tells_only_what_the_caller_can_use(
    stack: Stack, error: Exception, status: int, code: str, retry_after: list[str] | None
) -> None:
    response = application(stack, failing(error)).resolve(sample("executions/get"), None)

    assert (response["statusCode"], body_of(response)["code"]) == (status, code)
    assert response["multiValueHeaders"].get("Retry-After") == retry_after
    assert "secret-name" not in response["body"]


def test_what_the_caller_is_not_told_is_logged(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    application(stack, failing(ValueError("the cause"))).resolve(sample("executions/get"), None)

    assert "the cause" in caplog.text


def test_details_are_shown(stack: Stack) -> None:
    error = Conflict("no", details=[{"pointer": "/x", "message": "taken"}])

    response = application(stack, failing(error)).resolve(sample("executions/get"), None)

    assert body_of(response) == {
        "error": "no",
        "code": "CONFLICT",
        "details": [{"pointer": "/x", "message": "taken"}],
    }


def test_services_that_cannot_be_composed_are_the_servers_fault(stack: Stack) -> None:
    def services() -> Services:
        raise ConfigurationError("FLOWSTRAND_LOG_TABLE is missing")

    broken = Application("test", Principal.USER, application(stack, lambda _: None).routers, services)

    response = broken.resolve(sample("executions/get"), None)

    assert (response["statusCode"], body_of(response)["code"]) == (500, "INTERNAL_ERROR")


def test_responses_are_not_kept_by_caches(stack: Stack) -> None:
    response = application(stack, lambda _: None).resolve(sample("executions/get"), None)

    assert response["multiValueHeaders"]["Cache-Control"] == ["no-store"]


def test_concurrent_requests_never_see_each_other(stack: Stack) -> None:
    threads = 8
    together = threading.Barrier(threads)

    def action(_: Request) -> None:
        together.wait(timeout=10)

    app = application(stack, action)

    def call(number: int) -> dict[str, Any]:
        event = sample("executions/get")
        event["path"] = f"/api/orgs/org-{number}/workflow-executions/id-{number}"
        event["requestContext"]["authorizer"] |= {"org": f"org-{number}", "keyId": f"key-{number}"}
        return body_of(app.resolve(event, None))

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            answers = list(pool.map(call, range(threads)))
            assert answers == [
                {"path": f"org-{n}", "caller": f"org-{n}", "key": f"key-{n}", "id": f"id-{n}"}
                for n in range(threads)
            ]


def test_a_thread_that_begins_while_another_is_served_inherits_nothing(stack: Stack) -> None:
    answers: list[int] = []

    def nested(_: Request) -> None:
        def stranger() -> None:
            event = sample("executions/get")
            del event["requestContext"]["authorizer"]
            answers.append(app.resolve(event, None)["statusCode"])

        thread = threading.Thread(target=stranger)
        thread.start()
        thread.join()

    app = application(stack, nested)

    assert app.resolve(sample("executions/get"), None)["statusCode"] == 200
    assert answers == [401]


def test_an_application_lists_its_routes(stack: Stack) -> None:
    routes = application(stack, lambda _: None).routes()

    assert routes == {("GET", "/api/orgs/<org>/workflow-executions/<execution_id>")}


def test_routes_of_a_resource_come_with_the_first_request_for_it(stack: Stack) -> None:
    later = LaterRoutes("flowstrand.http.routes.queues", ("queues",))
    app = Application("test", Principal.USER, [later], lambda: stack.services)
    event = sample("executions/get")

    assert app.resolve(event, None)["statusCode"] == 404
    event["path"] = "/api/orgs/acme/queues"
    assert app.resolve(event, None)["statusCode"] == 200
    assert app.resolve(event, None)["statusCode"] == 200
    event["httpMethod"] = "DELETE"
    refused = app.resolve(event, None)
    assert (refused["statusCode"], refused["multiValueHeaders"]["Allow"]) == (405, ["GET"])


def test_each_thread_has_the_routes_that_it_was_asked_for(stack: Stack) -> None:
    later = LaterRoutes("flowstrand.http.routes.queues", ("queues",))
    app = Application("test", Principal.USER, [later], lambda: stack.services)

    def statuses(_: int) -> list[int]:
        event = sample("executions/get")
        event["path"] = "/api/orgs/acme/queues"
        return [app.resolve(event, None)["statusCode"] for _ in range(2)]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(statuses, range(8))) == [[200, 200]] * 8


def test_an_application_lists_routes_that_nobody_has_asked_for(stack: Stack) -> None:
    later = LaterRoutes("flowstrand.http.routes.queues", ("queues",))

    routes = Application("test", Principal.USER, [later], lambda: stack.services).routes()

    assert ("GET", "/api/orgs/<org>/queues/<queue>") in routes


def test_a_function_that_is_imported_has_not_imported_what_may_come_later() -> None:
    later = [each.module for each in application_of_executions.routers if isinstance(each, LaterRoutes)]
    program = "import sys, functions.executions.app; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout

    assert later
    assert not set(later) & set(imported.split())
