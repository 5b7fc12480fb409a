"""Stream tickets from end to end, as browsers use them: the gateway, the authorizer and the handlers, and no header."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from flowstrand.http.openapi.operation import Operation
from flowstrand.http.openapi.operations import OPERATIONS
from flowstrand.local import proxy_event, routes
from flowstrand.local.any_path import any_path
from flowstrand.local.functions import Functions
from flowstrand.local.gateway import Gateway
from flowstrand.local.waiter import StopSignal
from flowstrand.service import keys
from flowstrand.service.keys import Identity, Principal
from flowstrand.service.ticketing import issue
from flowstrand.service.tickets import Readable, Scope
from tests.functions.requests import parameters_of, request_of, with_parameters
from tests.functions.stack import (
    ACME,
    APPROVAL,
    CHANNEL,
    CLAIMED,
    NOW_MS,
    OTHER,
    OTHER_KEY,
    STANDALONE,
    USER_KEY,
    WORKER_KEY,
    Stack,
    logged,
    sample,
)
from tests.unit.sse_parser import parse

API = f"/api/orgs/{ACME}"
STREAMS = f"/v1/stream/orgs/{ACME}"
EXECUTION = f"{API}/workflow-executions/{CLAIMED}"
TASK = f"{API}/task-executions/{STANDALONE}"
FEED = f"{API}/events/stream"
CALLER = Identity(org=ACME, principals=frozenset({Principal.USER}), key_id="key_1")

OPENS = {
    "execution": {
        f"{EXECUTION}/events",
        f"{EXECUTION}/stream",
        f"{EXECUTION}/stream/consolidated",
        f"{STREAMS}/executions/{CLAIMED}",
    },
    "task": {f"{TASK}/events", f"{TASK}/stream"},
    "feed": {FEED, f"{STREAMS}/events"},
    "channel": {f"{STREAMS}/channels/{CHANNEL}"},
}
"""By what a ticket is for, what it opens."""
IDS = {"execution": CLAIMED, "task": STANDALONE, "feed": None, "channel": CHANNEL}
EVERYTHING = sorted({path for paths in OPENS.values() for path in paths})
READING = [pytest.param(operation, id=operation.name) for operation in OPERATIONS if operation.takes_ticket]
OTHERS = [pytest.param(operation, id=operation.name) for operation in OPERATIONS if not operation.takes_ticket]


def ask(
    method: str,
    url: str,
    *,
    key: str | None = None,
    params: Mapping[str, Any] | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """Send a request to a gateway in front of the handlers."""
    gateway = Gateway(Functions.load(), StopSignal())

    async def serve(http: Request) -> Response:
        return await gateway.serve(http)

    async def send() -> httpx2.Response:
        app = Starlette(routes=[any_path(serve, ["GET", "POST", "PUT", "DELETE", "HEAD"])])
        transport = httpx2.ASGITransport(app=app)
        sent = {**(headers or {}), **({} if key is None else {"Authorization": f"Bearer {key}"})}
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.request(method, url, params=params, json=body, headers=sent)

    return asyncio.run(send())


def code_of(response: httpx2.Response) -> str:
    """Of a refusal; one to `HEAD` has no body, and its status must do."""
    if response.request.method == "HEAD":
        return {401: "UNAUTHENTICATED"}.get(response.status_code, "")
    return str(response.json()["code"])


def made(scope: str = "execution", **more: Any) -> str:
    """A ticket, asked for over HTTP."""
    id = IDS[scope]
    body = {"scope": scope, **({} if id is None else {"id": id}), **more}
    response = ask("POST", f"{API}/stream-tickets", key=USER_KEY, body=body)
    assert response.status_code == 201, response.text
    return str(response.json()["ticket"])


def test_a_ticket_is_had_for_a_key_and_says_what_it_is_for_and_until_when(stack: Stack) -> None:
    response = ask("POST", f"{API}/stream-tickets", key=USER_KEY, body={"scope": "execution", "id": CLAIMED})
    body = response.json()
    assert body.pop("ticket").count(".") == 2
    assert body == {"scope": "execution", "id": CLAIMED, "expiresAt": "2026-11-23T12:05:00.000Z"}
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("ttl", "status"), [(60, 201), (900, 201), (59, 400), (901, 400), (0, 400), ("60", 400)])
def test_how_long_it_lives_is_the_askers_choice_within_bounds(stack: Stack, ttl: Any, status: int) -> None:
    response = ask("POST", f"{API}/stream-tickets", key=USER_KEY, body={"scope": "feed", "ttlSeconds": ttl})
    assert response.status_code == status
    if status == 400:
        assert response.json()["details"][0]["pointer"] == "/ttlSeconds"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scope": "org"},
        {"scope": "execution"},
        {"scope": "task", "id": ""},
        {"scope": "feed", "id": "x"},
        {"scope": "channel", "id": "a/b"},
        {"scope": "channel", "id": "a b"},
        {"scope": ["feed"]},
    ],
    ids=json.dumps,
)
def test_a_ticket_for_what_cannot_be_is_400(stack: Stack, body: Any) -> None:
    response = ask("POST", f"{API}/stream-tickets", key=USER_KEY, body=body)
    assert (response.status_code, code_of(response)) == (400, "INVALID_INPUT")


@pytest.mark.parametrize("scope", ["execution", "task"])
@pytest.mark.parametrize("id", ["unknown", "#", "\u00e9", f"{APPROVAL}x"])
def test_a_ticket_for_what_is_not_there_is_404(stack: Stack, scope: str, id: str) -> None:
    response = ask("POST", f"{API}/stream-tickets", key=USER_KEY, body={"scope": scope, "id": id})
    assert response.status_code == 404


def test_a_ticket_for_what_is_another_orgs_is_refused_like_one_for_nothing(stack: Stack) -> None:
    theirs, nothing = (
        ask(
            "POST",
            f"/api/orgs/{OTHER}/stream-tickets",
            key=OTHER_KEY,
            body={"scope": "execution", "id": id},
        )
        for id in (CLAIMED, f"{CLAIMED}x")
    )
    assert (theirs.status_code, theirs.content) == (404, nothing.content)


def test_workers_have_no_tickets(stack: Stack) -> None:
    response = ask("POST", f"{API}/stream-tickets", key=WORKER_KEY, body={"scope": "feed"})
    assert (response.status_code, code_of(response)) == (403, "WRONG_PRINCIPAL")


@pytest.mark.parametrize("scope", OPENS)
@pytest.mark.parametrize("path", EVERYTHING)
def test_a_ticket_opens_what_it_is_for_and_nothing_else(stack: Stack, scope: str, path: str) -> None:
    response = ask("GET", path, params={"ticket": made(scope)})
    if path in OPENS[scope]:
        assert response.status_code == 200
    else:
        assert (response.status_code, code_of(response)) == (403, "TICKET_OUT_OF_SCOPE")


def test_a_ticket_reads_what_a_key_reads(stack: Stack) -> None:
    for path in (f"{EXECUTION}/stream", f"{TASK}/stream"):
        with_ticket = ask(
            "GET", path, params={"ticket": made("execution" if path in OPENS["execution"] else "task")}
        )
        with_key = ask("GET", path, key=USER_KEY)
        assert parse(with_ticket.content) == parse(with_key.content) != []
    params = {"ticket": made(), "types": "task.*", "limit": "1"}
    page = ask("GET", f"{EXECUTION}/events", params=params).json()
    assert [event["type"] for event in page["events"]] == ["TASK_CREATED"]


def test_a_stream_is_resumed_with_a_ticket(stack: Stack) -> None:
    response = ask("GET", f"{EXECUTION}/stream", params={"ticket": made()}, headers={"Last-Event-ID": "2"})
    assert [event.last_event_id for event in parse(response.content)] == ["3", "4"]


def test_a_ticket_whose_time_has_passed_is_401_with_a_code_of_its_own(stack: Stack) -> None:
    ticket = made(ttlSeconds=60)
    stack.clock.sleep_ms(59_999)
    assert ask("GET", f"{EXECUTION}/events", params={"ticket": ticket}).status_code == 200
    stack.clock.sleep_ms(1)
    for path in EVERYTHING:
        response = ask("GET", path, params={"ticket": ticket})
        assert (response.status_code, code_of(response)) == (401, "TICKET_EXPIRED")
        assert response.headers["www-authenticate"] == "Bearer"


def test_a_ticket_of_another_org_is_404_whether_there_is_such_an_org_or_not(stack: Stack) -> None:
    ticket = made()
    theirs, nobodys = (
        ask("GET", f"/api/orgs/{org}/workflow-executions/{CLAIMED}/events", params={"ticket": ticket})
        for org in (OTHER, "nobody-is-called-so")
    )
    assert (theirs.status_code, code_of(theirs)) == (404, "NOT_FOUND")
    assert theirs.content == nobodys.content


@pytest.mark.parametrize("operation", OTHERS)
def test_where_no_ticket_is_taken_one_is_as_good_as_none(stack: Stack, operation: Operation) -> None:
    event = request_of(operation)
    before = stack.sequences()
    for scope in OPENS:
        response = ask(operation.method, event["path"], params={"ticket": made(scope)}, body={})
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
    assert stack.sequences() == before


@pytest.mark.parametrize("operation", READING)
@pytest.mark.parametrize(
    "tickets",
    [[], [""], ["x"], ["a.b.c"], ["{ticket}x"], ["{ticket}", "{ticket}"], ["{key}"], ["x" * 5_000]],
    ids=["none", "empty", "text", "three parts", "altered", "twice", "a key", "long"],
)
def test_without_a_header_or_one_ticket_of_ours_every_reading_route_is_401(
    stack: Stack, operation: Operation, tickets: list[str]
) -> None:
    scope = "feed" if "/events/stream" in operation.path else "task" if "taskId" in operation.path else "execution"
    ticket = made(scope)
    given = [text.format(ticket=ticket, key=USER_KEY) for text in tickets]
    response = ask("GET", request_of(operation)["path"], params={"ticket": given} if given else None)
    assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("authorization", "status"), [(f"Bearer {USER_KEY}", 200), ("Bearer fsk_nobodys", 401), ("", 401)]
)
def test_beside_a_header_a_ticket_says_nothing(stack: Stack, authorization: str, status: int) -> None:
    """So that it never depends on which of the two is looked at."""
    for ticket in (made(), made("feed"), "x"):
        response = ask(
            "GET",
            f"{EXECUTION}/events",
            params={"ticket": ticket},
            headers={"Authorization": authorization},
        )
        assert response.status_code == status


def test_nothing_is_said_of_a_ticket_in_any_log(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ticket = made(ttlSeconds=60)
        ask("GET", f"{EXECUTION}/stream", params={"ticket": ticket})
        ask("GET", FEED, params={"ticket": ticket})
        ask("GET", f"{EXECUTION}/events", params={"ticket": f"{ticket}x"})
        ask("GET", f"{EXECUTION}/events", params={"ticket": ticket, "limit": "x"})
        ask("POST", f"{API}/stream-tickets", params={"ticket": ticket}, body={})
        stack.clock.sleep_ms(60_000)
        ask("GET", f"{EXECUTION}/stream", params={"ticket": ticket})
    text = "".join(
        line for line in logged(caplog).splitlines() if "httpx2" not in line
    )  # of the test's own client
    assert ticket.split(".")[1] not in text
    assert ticket.split(".")[2] not in text


def test_no_refusal_repeats_a_ticket(stack: Stack) -> None:
    ticket = made("feed")
    for path in EVERYTHING:
        response = ask("GET", path, params={"ticket": ticket, "after": "x"})
        assert ticket not in response.text


# --- the authorizer by itself ---------------------------------------------------------------------


def authorized(stack: Stack, ticket: str, **changes: Any) -> Any:
    event = sample("authorizer/forged-ticket")
    event["queryStringParameters"] = {"ticket": ticket}
    event["multiValueQueryStringParameters"] = {"ticket": [ticket]}
    return stack.invoke("authorizer", {**event, **changes})


def ticket_of(stack: Stack, scope: Scope | None = None, ttl_s: int = 60) -> str:
    return issue(stack.services, CALLER, scope or Scope(of=Readable.EXECUTION, id=CLAIMED), ttl_s=ttl_s).text


def test_a_ticket_is_allowed_the_one_route_that_was_asked_for(stack: Stack) -> None:
    answer = authorized(stack, ticket_of(stack))
    arn = sample("authorizer/forged-ticket")["methodArn"]
    assert answer["policyDocument"]["Statement"] == [
        {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [arn]}
    ]
    assert answer["context"] == {
        "ticketOrg": ACME,
        "ticketScope": f"execution:{CLAIMED}",
        "keyId": "key_1",
    }
    assert not proxy_event.allows(answer, arn.replace("/stream", "/events"))


def test_an_expired_ticket_gets_no_further_than_to_be_told_so(stack: Stack) -> None:
    ticket = ticket_of(stack)
    stack.clock.sleep_ms(60_000)
    answer = authorized(stack, ticket)
    assert answer["context"] == {"ticket": "expired"}
    arn = sample("authorizer/forged-ticket")["methodArn"]
    assert answer["policyDocument"]["Statement"][0]["Resource"] == [arn]


def made_by(stack: Stack, key_id: str) -> Any:
    caller = Identity(org=ACME, principals=frozenset({Principal.USER}), key_id=key_id)
    text = issue(stack.services, caller, Scope(of=Readable.EXECUTION, id=CLAIMED), ttl_s=60).text
    return authorized(stack, text)


def test_a_ticket_is_good_for_as_long_as_the_key_that_it_was_made_with(stack: Stack) -> None:
    directory = stack.services.directory
    key = keys.create(directory, ACME, ["user"], now_ms=0)
    known = keys.identify(directory, key)
    assert known is not None
    assert made_by(stack, known.key_id)["context"]["ticketOrg"] == ACME
    keys.revoke(directory, ACME, known.key_id)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        made_by(stack, known.key_id)


def test_a_ticket_of_who_has_no_key_is_good_until_it_ends(stack: Stack) -> None:
    assert made_by(stack, "jwt_0123456789ab")["context"]["keyId"] == "jwt_0123456789ab"
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        made_by(stack, "key_0123456789ab")


@pytest.mark.parametrize("operation", [*READING, *OTHERS])
def test_what_is_said_of_an_expired_ticket_opens_no_route(stack: Stack, operation: Operation) -> None:
    event = request_of(operation)
    event["requestContext"]["authorizer"] = {"ticket": "expired"}
    found = routes.match(event["httpMethod"], event["path"])
    assert found is not None
    response = stack.invoke(found[0].function, event)
    assert (response["statusCode"] if isinstance(response, dict) else response.status) == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_ticket_is_for_reading(stack: Stack, method: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorized(stack, ticket_of(stack), httpMethod=method)


@pytest.mark.parametrize("header", ["Bearer fsk_nobodys", "", "Basic x"])
def test_where_there_is_a_header_the_ticket_is_not_looked_at(stack: Stack, header: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorized(stack, ticket_of(stack), headers={"authorization": header}, multiValueHeaders=None)


def test_a_forged_ticket_is_unauthorized(stack: Stack) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        stack.invoke("authorizer", sample("authorizer/forged-ticket"))


def test_a_key_that_is_another_orgs_now_takes_its_tickets_with_it(stack: Stack) -> None:
    ticket = made()
    assert ask("GET", f"{EXECUTION}/events", params={"ticket": ticket}).status_code == 200
    keys.create(stack.services.directory, "someone-else", ["user"], key=USER_KEY, now_ms=NOW_MS)
    assert ask("GET", f"{EXECUTION}/events", key=USER_KEY).status_code == 404
    assert ask("GET", f"{EXECUTION}/events", params={"ticket": ticket}).status_code == 401


@pytest.mark.parametrize("operation", READING)
def test_each_route_that_reads_has_a_scope_that_names_what_its_path_names(
    stack: Stack, operation: Operation
) -> None:
    named = [value for name, value in parameters_of(request_of(operation)).items() if name != "org"]
    context = {"ticketOrg": ACME, "keyId": "k", "ticketScope": f"nothing:{'/'.join(named)}"}
    event = with_parameters(operation, request_of(operation))
    event["requestContext"]["authorizer"] = context
    found = routes.match(event["httpMethod"], event["path"])
    assert found is not None
    response = stack.invoke(found[0].function, event)
    assert (response["statusCode"] if isinstance(response, dict) else response.status) == 403
