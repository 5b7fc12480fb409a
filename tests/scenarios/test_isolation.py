"""Law 10 over the whole route table (S18), through the gateway, the authorizer and the handlers, on both stores.

What is asked is each route's sample event. A new route is covered once it has one; so is a new parameter of a path, once
`UNKNOWN` says which value of it nothing has.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from flowstrand.http.openapi.operation import Operation
from flowstrand.http.openapi.operations import OPERATIONS
from flowstrand.local import routes
from flowstrand.local.any_path import any_path
from flowstrand.local.functions import Functions
from flowstrand.local.gateway import Gateway
from flowstrand.local.waiter import StopSignal
from flowstrand.service import keys
from tests.functions.provocations import NOBODY
from tests.functions.requests import request_of, with_fields, with_parameters
from tests.functions.stack import (
    ACME,
    APPROVAL,
    CLAIMED,
    NOW_MS,
    OTHER,
    QUEUED,
    SCHEDULE,
    USER_KEY,
    WORKER_KEY,
    Stack,
)
from tests.support.described import operation_at

STRANGER_KEY = "fsk_sample-key-of-a-stranger-to-acme"
"""Of another org, and good for everything there."""

UNKNOWN = {
    "executionId": NOBODY,
    "taskId": f"{NOBODY}.t1",
    "promiseId": f"{NOBODY}.p1",
    "scheduleId": "unknown",
    "workerId": "nobody",
    "payloadId": "0" * 64,
    "name": "unknown",
}
"""By the parameters of paths that name one thing of an org, what nothing is called."""
NAMES = {"org", "queue"}
"""Parameters that name no one thing: a queue is whatever anybody calls one."""


def _things(operation: Operation) -> list[str]:
    """The parameters of an operation's path that name one thing; none where it is there once it is asked for."""
    if operation.name == "createChannel":
        return []
    return [name for name in re.findall(r"\{(\w+)\}", operation.path) if name not in NAMES]


ALL = [pytest.param(operation, id=operation.name) for operation in OPERATIONS if operation.method != "HEAD"]
HEADS = [pytest.param(operation, id=operation.name) for operation in OPERATIONS if operation.method == "HEAD"]
"""Their answers have no body, so it is their status that must do."""
OF_AN_ORG = [pytest.param(operation, id=operation.name) for operation in OPERATIONS if not _things(operation)]
OF_A_THING = [
    pytest.param(operation, name, id=f"{operation.name}-{name}")
    for operation in OPERATIONS
    for name in _things(operation)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response, but for what differs from one to the next by nature."""

    status: int
    headers: frozenset[str]
    body: bytes

    @property
    def code(self) -> Any:
        """The error's."""
        return json.loads(self.body).get("code")

    def is_refusal(self, operation: Operation, status: int, code: str) -> bool:
        """Whether it says this; an answer to HEAD has no body to say the code in."""
        if operation.method == "HEAD":
            return (self.status, self.body) == (status, b"")
        return (self.status, self.code) == (status, code)


@pytest.fixture(scope="module", params=("sqlite", "dynamodb"))
def populated(request: pytest.FixtureRequest) -> Stack:
    """The world of the sample events, with a stranger beside it. What is refused changes nothing, so one is enough."""
    both: dict[str, Any] = request.getfixturevalue("both_stores")
    made = Stack(both[request.param])
    made.use(made.services)
    try:
        made.populate()
        principals = [principal.value for principal in keys.Principal]
        keys.create(made.services.directory, OTHER, principals, key=STRANGER_KEY, now_ms=NOW_MS)
    finally:
        made.close()
    return made


@pytest.fixture
def stack(populated: Stack) -> Iterator[Stack]:
    """The world, installed; nothing in it may change."""
    populated.use(populated.services)
    before = populated.sequences()
    try:
        yield populated
        assert populated.sequences() == before
    finally:
        populated.close()


def ask(event: dict[str, Any], key: str | None) -> Answer:
    """Send a sample as the HTTP request that it stands for, with another credential or none."""
    gateway = Gateway(Functions.load(), StopSignal())

    async def serve(http: Request) -> Response:
        return await gateway.serve(http)

    async def send() -> httpx2.Response:
        app = Starlette(routes=[any_path(serve, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])])
        transport = httpx2.ASGITransport(app=app)
        kept = ("content-type", "last-event-id")
        headers = {name: value for name, value in event["headers"].items() if name.lower() in kept}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.request(
                event["httpMethod"],
                event["path"],
                params=event["multiValueQueryStringParameters"],
                content=b64decode(event["body"] or "") if event["isBase64Encoded"] else event["body"],
                headers=headers,
            )

    response = asyncio.run(send())
    return Answer(status=response.status_code, headers=frozenset(response.headers), body=response.content)


def key_for(operation: Operation, *, wrong: bool = False) -> str:
    """Acme's key for the principal that an operation takes, or for the other one."""
    is_for_users = (operation.principal is keys.Principal.USER) is not wrong
    return USER_KEY if is_for_users else WORKER_KEY


def test_every_route_of_the_table_is_asked() -> None:
    asked = {(operation.method, operation.resource) for operation in OPERATIONS}
    refusing = {(one.method, one.resource) for one in routes.ROUTES if one.manner is routes.Manner.REFUSING}
    assert asked == {(route.method, route.resource) for route in routes.ROUTES} - refusing
    for operation in OPERATIONS:
        sample = request_of(operation)
        assert operation_at(sample["httpMethod"], sample["path"]) is operation
        assert {*re.findall(r"\{(\w+)\}", operation.resource)} <= NAMES | UNKNOWN.keys()


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize("key", [None, "", "fsk_nobodys"], ids=["none", "empty", "unknown"])
def test_without_a_valid_credential_every_route_is_401(
    stack: Stack, operation: Operation, key: str | None
) -> None:
    answer = ask(request_of(operation), key)

    assert answer.is_refusal(operation, 401, "UNAUTHENTICATED")
    assert "www-authenticate" in answer.headers
    strangers = ask(request_of(OPERATIONS[0]), None)
    assert answer == (replace(strangers, body=b"") if operation.method == "HEAD" else strangers)


@pytest.mark.parametrize("operation", ALL)
def test_where_nobody_is_known_every_route_is_401(operation: Operation) -> None:
    empty = Stack()
    empty.use(empty.services)
    try:
        assert ask(request_of(operation), key_for(operation)).status == 401
    finally:
        empty.close()


@pytest.mark.parametrize("operation", ALL)
def test_where_nothing_is_configured_every_route_is_401(
    monkeypatch: pytest.MonkeyPatch, operation: Operation
) -> None:
    monkeypatch.delenv("FLOWSTRAND_DIRECTORY_TABLE", raising=False)

    assert ask(request_of(operation), key_for(operation)).status == 401


@pytest.mark.parametrize("operation", ALL)
def test_the_wrong_principal_is_403_on_every_route(stack: Stack, operation: Operation) -> None:
    answer = ask(request_of(operation), key_for(operation, wrong=True))

    assert answer.is_refusal(operation, 403, "WRONG_PRINCIPAL")


@pytest.mark.parametrize("operation", ALL)
def test_a_path_of_another_org_is_404_on_every_route_whether_there_is_such_an_org_or_not(
    stack: Stack, operation: Operation
) -> None:
    theirs = ask(request_of(operation), STRANGER_KEY)
    nobodys = ask(with_parameters(operation, request_of(operation), org="nobody-is-called-so"), STRANGER_KEY)

    assert theirs.is_refusal(operation, 404, "NOT_FOUND")
    assert theirs == nobodys


@pytest.mark.parametrize("operation", HEADS)
def test_no_more_is_told_to_those_who_ask_for_the_head_alone(stack: Stack, operation: Operation) -> None:
    nobodys, wrong = ask(request_of(operation), None), ask(request_of(operation), key_for(operation, wrong=True))
    elsewhere = ask(request_of(operation), STRANGER_KEY)

    assert (nobodys.status, wrong.status, elsewhere.status) == (401, 403, 404)
    for answer in (nobodys, wrong, elsewhere):
        assert answer.body == b""
        assert "stream-next-offset" not in answer.headers


@pytest.mark.parametrize(("operation", "parameter"), OF_A_THING)
def test_what_is_another_orgs_is_404_under_ones_own_and_told_from_nothing_by_nothing(
    stack: Stack, operation: Operation, parameter: str
) -> None:
    theirs = ask(with_parameters(operation, request_of(operation), org=OTHER), STRANGER_KEY)
    nobodys = ask(
        with_parameters(operation, request_of(operation), org=OTHER, **{parameter: UNKNOWN[parameter]}),
        STRANGER_KEY,
    )

    assert theirs.status == 404
    assert theirs == nobodys


@pytest.mark.parametrize("operation", OF_AN_ORG)
def test_what_is_asked_of_ones_own_org_shows_and_changes_nothing_of_another(
    stack: Stack, operation: Operation
) -> None:
    event = with_parameters(operation, request_of(operation), org=OTHER)
    if operation.name == "pollQueue":  # which would wait for a task that is never there
        event = with_fields(event, wait=0)

    answer = ask(event, STRANGER_KEY)

    assert answer.status in operation.answers
    if operation.method == "GET" or operation.name == "pollQueue":
        told = answer.body.decode()
        assert not [thing for thing in (ACME, CLAIMED, QUEUED, APPROVAL, SCHEDULE) if thing in told]
