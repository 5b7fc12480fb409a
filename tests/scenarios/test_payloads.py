"""S21: values of every size, through every door, on both stores; those that are too large for a request past the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from secrets import token_hex
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from flowstrand import App, WorkflowContext, workflow
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.local.payload_transfers import ROUTE, TransferRoute
from tests.scenarios.app import ONCE
from tests.scenarios.conftest import Everywhere
from tests.scenarios.world import Answer, World

KB, MB = 1_024, 1_024 * 1_024


@workflow(name="hands-on")
async def hands_on(ctx: WorkflowContext, given: JsonValue) -> JsonValue:
    """Every door that a value can come and go by."""
    ctx.set("given", given)
    done = await ctx.schedule("work", given, retry=ONCE)
    heard = await ctx.wait_for_signal("value")
    promised = await ctx.promise("value", key="value")
    return [done == given, heard == given, promised == given]


@workflow(name="returns")
async def returns(ctx: WorkflowContext, given: JsonValue) -> JsonValue:
    """A value that only goes through."""
    return await ctx.schedule("work", given, retry=ONCE)


@workflow(name="looks")
async def looks(ctx: WorkflowContext, given: JsonValue) -> JsonValue:
    """What code sees of a value."""
    return len(given) if isinstance(given, str | list) else given


@workflow(name="many")
async def many(ctx: WorkflowContext, size: int) -> int:
    """A history of several megabytes."""
    handles = [ctx.schedule_async("work", "x" * size, retry=ONCE) for _ in range(10)]
    return sum(len(str(done)) for done in await ctx.gather(*handles))


APP = App(workflows=[hands_on, returns, looks, many])


@pytest.fixture
def worlds(everywhere: Everywhere) -> Everywhere:
    return everywhere


def start(world: World, kind: str, input: JsonValue) -> str:
    answer = world.request("POST", "/workflow-executions", {"kind": kind, "input": input})
    assert answer.status == 201, answer
    world.settle()
    return str(answer.body["workflowExecutionId"])


def upload(world: World, value: JsonValue) -> JsonObject:
    """Send a value past the API; returns what stands for it."""
    body = json.dumps(value).encode()
    begun = ask_upload(world, body)
    assert begun.status == 201, begun
    assert put(world, begun.body, body) == 200
    reference: JsonObject = begun.body["payload"]
    return reference


def ask_upload(world: World, body: bytes, size: int | None = None) -> Answer:
    asked: JsonObject = {"sizeBytes": len(body) if size is None else size, "sha256": sha256(body).hexdigest()}
    return world.request("POST", "/payloads", asked)


def put(world: World, begun: Any, body: bytes) -> int:
    headers = {name: value for name, value in begun["headers"].items() if name != "content-length"}
    if begun["uploadUrl"].startswith("/"):
        return transfers(world).put(begun["uploadUrl"], headers=headers, content=body).status_code
    return requests.put(begun["uploadUrl"], data=body, headers=headers, timeout=10).status_code


def get(world: World, url: str) -> Any:
    if url.startswith("/"):
        return transfers(world).get(url).json()
    return requests.get(url, timeout=10).json()


def transfers(world: World) -> TestClient:
    route = TransferRoute(world.signed, world.services.payloads)
    return TestClient(Starlette(routes=[Route(ROUTE, route.serve, methods=["GET", "PUT"])]))


# --- up to a mebibyte -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [40 * KB, 900 * KB])
def test_s21_a_value_goes_through_every_door_as_it_is(worlds: Everywhere, size: int) -> None:
    value = "x" * size
    for world in worlds(APP):
        execution = start(world, "hands-on", value)
        task = world.claim("work")["work"]
        assert task["input"] == value
        world.complete(task, value)
        world.settle()
        state = world.request("GET", f"/workflow-executions/{execution}/state")
        assert state.body == {"state": {"given": value}}
        signal: JsonObject = {"signalName": "value", "signalValue": value}
        assert world.request("POST", f"/workflow-executions/{execution}/signal", signal).status == 200
        world.settle()
        assert world.request("POST", "/promises/key:value/resolve", {"value": value}).status == 200
        world.settle()
        assert world.get(execution)["output"] == [True, True, True]


def test_s21_what_a_task_streams_is_as_large_as_it_may_be(worlds: Everywhere) -> None:
    value = "x" * (200 * KB)
    for world in worlds(APP):
        execution = start(world, "returns", 1)
        task = world.claim("work")["work"]
        assert world.emit(task, {"type": "data", "payload": value}, request_id="1").status == 200
        over = world.emit(task, {"type": "data", "payload": "x" * (260 * KB)}, request_id="2")
        assert (over.status, over.body["code"]) == (413, "PAYLOAD_TOO_LARGE")
        world.complete(task, 1)
        world.settle()
        page = world.request("GET", f"/workflow-executions/{execution}/events").body["events"]
        assert [e["data"]["payload"] for e in page if e["type"] == "STREAM_DATA"] == [value]


def test_s21_over_a_mebibyte_is_refused_at_every_door_and_changes_nothing(worlds: Everywhere) -> None:
    value = "x" * (MB + 1)
    for world in worlds(APP):
        execution = start(world, "returns", 1)
        task = world.claim("work")["work"]
        before = world.request("GET", f"/workflow-executions/{execution}/events").body
        for path, body in (
            ("/workflow-executions", {"kind": "returns", "input": value}),
            ("/task-executions", {"kind": "work", "input": value}),
            (f"/workflow-executions/{execution}/signal", {"signalName": "s", "signalValue": value}),
            ("/promises/key:value/resolve", {"value": value}),
            (
                f"/task-executions/{task['taskExecutionId']}/complete",
                {"leaseToken": task["leaseToken"], "output": value},
            ),
        ):
            answer = world.request("POST", path, dict(body))
            assert (answer.status, answer.body["code"]) == (413, "PAYLOAD_TOO_LARGE"), path
        assert world.request("GET", f"/workflow-executions/{execution}/events").body == before
        world.complete(task)
        world.settle()


def test_s21_a_history_of_megabytes_comes_in_pages_that_fit(worlds: Everywhere) -> None:
    for world in worlds(APP):
        execution = start(world, "many", 700 * KB)
        for task in world.claim_all("work"):
            inlined = task["input"] if "inputUrl" not in task else get(world, task["inputUrl"])
            world.complete(task, inlined)
        world.settle()
        assert world.get(execution)["output"] == 10 * 700 * KB
        after, sizes, count = 0, [], 0
        while True:
            page = world.request("GET", f"/workflow-executions/{execution}/events", after=str(after)).body
            sizes.append(len(json.dumps(page)))
            count += len(page["events"])
            after = page["nextAfter"]
            if page["upToDate"]:
                break
        assert count == after
        assert max(sizes) < 6 * MB < sum(sizes)


def test_s21_the_inputs_of_one_poll_fit_into_its_answer(worlds: Everywhere) -> None:
    for world in worlds(APP):
        start(world, "many", 900 * KB)
        body: JsonValue = {"workerId": "w-1", "kinds": ["work"], "max": 10, "wait": 0}
        answer = world.request("POST", "/queues/default/poll", body)
        tasks = answer.body["tasks"]
        assert len(tasks) == 10
        assert len(json.dumps(answer.body)) < 6 * MB
        by_url = [task for task in tasks if "inputUrl" in task]
        assert by_url
        for task in by_url:
            assert task["input"]["$flowstrand"] == "payload"
            assert get(world, task["inputUrl"]) == "x" * (900 * KB)
        for task in tasks:
            world.complete(task)
        world.settle()


# --- past the API ---------------------------------------------------------------------------------


def test_an_uploaded_value_is_taken_at_every_door(worlds: Everywhere) -> None:
    value = "x" * (3 * MB)
    for world in worlds(APP):
        reference = upload(world, value)
        execution = start(world, "hands-on", reference)
        task = world.claim("work")["work"]
        assert task["input"] == reference
        assert get(world, task["inputUrl"]) == value
        world.complete(task, reference)
        world.settle()
        signal: JsonObject = {"signalName": "value", "signalValue": reference}
        assert world.request("POST", f"/workflow-executions/{execution}/signal", signal).status == 200
        world.settle()
        assert world.request("POST", "/promises/key:value/resolve", {"value": reference}).status == 200
        world.settle()
        assert world.get(execution)["output"] == [True, True, True]
        events = world.request("GET", f"/workflow-executions/{execution}/events").body["events"]
        assert events[0]["data"]["input"] == reference
        found = world.request("GET", f"/payloads/{reference['id']}").body
        assert found["sizeBytes"] == len(json.dumps(value))
        assert get(world, found["downloadUrl"]) == value


def test_code_sees_a_value_up_to_a_limit_and_hands_on_what_is_larger(worlds: Everywhere) -> None:
    for world in worlds(APP):
        small = upload(world, [1, 2, 3])
        assert world.get(start(world, "looks", small))["output"] == 3
        large = upload(world, "x" * (17 * MB))
        assert world.get(start(world, "looks", large))["output"] == large
        execution = start(world, "returns", large)
        task = world.claim("work")["work"]
        assert task["input"] == large
        assert len(get(world, task["inputUrl"])) == 17 * MB
        world.complete(task, large)
        world.settle()
        assert world.get(execution)["output"] == large


def test_a_worker_uploads_an_output_under_its_lease(worlds: Everywhere) -> None:
    value = "x" * (2 * MB)
    body = json.dumps(value).encode()
    for world in worlds(APP):
        execution = start(world, "returns", 1)
        task = world.claim("work")["work"]
        path = f"/task-executions/{task['taskExecutionId']}/payloads"
        asked: JsonObject = {"sizeBytes": len(body), "sha256": sha256(body).hexdigest()}
        forged = world.request("POST", path, {**asked, "leaseToken": "a.b.c"})
        assert (forged.status, forged.body["code"]) == (409, "INVALID_LEASE")
        begun = world.request("POST", path, {**asked, "leaseToken": task["leaseToken"]})
        assert put(world, begun.body, body) == 200
        world.complete(task, begun.body["payload"])
        world.settle()
        assert world.get(execution)["output"] == begun.body["payload"]


def test_a_standalone_task_takes_an_uploaded_value(worlds: Everywhere) -> None:
    for world in worlds(APP):
        register: JsonObject = {"name": "w", "queue": "default", "taskKinds": ["work"]}
        assert world.request("POST", "/workers", register).status == 201
        reference = upload(world, "x" * (2 * MB))
        body: JsonObject = {"kind": "work", "input": reference, "idempotencyKey": f"k{id(world)}"}
        first = world.request("POST", "/task-executions", body)
        assert first.status == 201
        again = world.request("POST", "/task-executions", body)
        assert (again.status, again.body["taskExecutionId"]) == (200, first.body["taskExecutionId"])
        world.settle()
        task = world.claim("work")["work"]
        assert task["input"] == reference
        world.complete(task, reference)
        world.settle()
        shown = world.request("GET", f"/task-executions/{task['taskExecutionId']}").body
        assert shown["output"] == reference


def test_what_was_not_uploaded_is_refused_and_nothing_is_created(worlds: Everywhere) -> None:
    for world in worlds(APP):
        unknown: JsonObject = {"$flowstrand": "payload", "id": "0" * 64}
        cases: list[tuple[JsonObject, tuple[int, str]]] = [
            (unknown, (404, "PAYLOAD_NOT_FOUND")),
            ({"$flowstrand": "payload", "id": "../etc"}, (400, "INVALID_PAYLOAD")),
            ({"$flowstrand": "payload"}, (400, "INVALID_PAYLOAD")),
            ({**unknown, "more": 1}, (400, "INVALID_PAYLOAD")),
        ]
        for input, expected in cases:
            answer = world.request("POST", "/workflow-executions", {"kind": "looks", "input": input})
            assert (answer.status, answer.body["code"]) == expected
        execution = start(world, "returns", 1)
        task = world.claim("work")["work"]
        report: JsonObject = {"leaseToken": task["leaseToken"], "output": unknown}
        answer = world.request("POST", f"/task-executions/{task['taskExecutionId']}/complete", report)
        assert (answer.status, answer.body["code"]) == (404, "PAYLOAD_NOT_FOUND")
        signal: JsonObject = {"signalName": "s", "signalValue": unknown}
        assert world.request("POST", f"/workflow-executions/{execution}/signal", signal).status == 404
        assert world.request("GET", f"/payloads/{'0' * 64}").body["code"] == "PAYLOAD_NOT_FOUND"
        assert world.request("GET", "/payloads/x").status == 404
        world.complete(task)
        world.settle()


@pytest.mark.parametrize("body", [b"not json", b"[" * 191 + b"]" * 191], ids=["none", "deep"])
def test_what_is_no_json_or_nested_too_deeply_is_refused(worlds: Everywhere, body: bytes) -> None:
    for world in worlds(APP):
        begun = ask_upload(world, body)
        assert put(world, begun.body, body) == 200
        answer = world.request("POST", "/workflow-executions", {"kind": "looks", "input": begun.body["payload"]})
        assert (answer.status, answer.body["code"]) == (400, "INVALID_PAYLOAD")


def test_an_upload_over_the_limit_is_refused(worlds: Everywhere) -> None:
    for world in worlds(APP):
        answer = ask_upload(world, b"{}", size=64 * MB + 1)
        assert (answer.status, answer.body["code"]) == (413, "PAYLOAD_TOO_LARGE")


# --- the URLs -------------------------------------------------------------------------------------


@pytest.fixture
def local(worlds: Everywhere) -> Iterator[World]:
    every = worlds(APP)
    yield next(every)
    for _ in every:
        break


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda body: body + b" ", 413),
        (lambda body: body.replace(b"n", b"m"), 400),
        (lambda body: body[:-1], 400),
    ],
    ids=["longer", "other", "shorter"],
)
def test_a_local_url_takes_what_it_was_asked_for_and_nothing_else(
    local: World, change: Callable[[bytes], bytes], status: int
) -> None:
    body = json.dumps({"n": 1, "of": token_hex(4)}).encode()
    begun = ask_upload(local, body).body
    assert put(local, begun, change(body)) == status
    assert local.request("GET", f"/payloads/{begun['payloadId']}").status == 404
    assert put(local, begun, body) == 200


def test_a_local_url_is_for_one_thing_and_a_while(local: World) -> None:
    body = b'{"n":5}'
    begun = ask_upload(local, body).body
    client = transfers(local)
    assert client.get(begun["uploadUrl"]).status_code == 403
    assert put(local, begun, body) == 200
    url = local.request("GET", f"/payloads/{begun['payloadId']}").body["downloadUrl"]
    assert client.put(url, content=body).status_code == 403
    assert client.get(url[:-2] + "xx").status_code == 403
    local.clock.ms += 901_000
    assert client.get(url).status_code == 403


def test_an_s3_url_signs_length_digest_and_type(worlds: Everywhere) -> None:
    urls = [ask_upload(world, b'{"n":1}').body["uploadUrl"] for world in worlds(APP)]
    signed = [url for url in urls if url.startswith("https://")]
    assert len(signed) == 2
    for url in signed:
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
        headers = url.partition("X-Amz-SignedHeaders=")[2].partition("&")[0]
        assert set(headers.split("%3B")) >= {"content-length", "content-type", "host", "x-amz-checksum-sha256"}
