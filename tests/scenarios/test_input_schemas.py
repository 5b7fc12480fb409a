"""An input that does not fit its workflow's schema is 422 with every fault, wherever it is given, and nothing is created."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from flowstrand import App, WorkflowContext, workflow
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.compression import Compression
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.service import open_executions
from tests.scenarios.conftest import Everywhere
from tests.scenarios.transports import history
from tests.scenarios.world import World


class Line(BaseModel):
    item: str
    count: Annotated[int, Field(ge=1)]


class Order(BaseModel):
    lines: list[Line]


@workflow(name="buy")
async def buy(ctx: WorkflowContext, order: Order) -> int:
    return sum(line.count for line in order.lines)


@workflow(name="greet")
async def greet(ctx: WorkflowContext, name: str = "you") -> str:
    return await ctx.wait_for_signal("say", str)


GOOD: JsonValue = {"lines": [{"item": "thread", "count": 2}]}
BAD: JsonValue = {"lines": [{"item": 5, "count": 0}, {"count": "secret"}]}
FAULTS = {
    "/input/lines/0/item": "is not of type string",
    "/input/lines/0/count": "does not satisfy minimum 1",
    "/input/lines/1": "'item' is a required property",
    "/input/lines/1/count": "is not of type integer",
}


def _in_each(input: JsonValue) -> list[tuple[str, JsonObject]]:
    """Every request that takes an input."""
    asked: JsonObject = {"kind": "buy", "input": input}
    signal: JsonObject = {"workflowId": "w-1", "signalName": "say"}
    return [
        ("/workflow-executions", asked),
        ("/workflow-executions", {**asked, "idempotencyKey": "k-1"}),
        ("/workflow-executions/signal-with-start", {**asked, **signal}),
        ("/schedules", {**asked, "scheduleId": "s-1", "cron": "0 2 * * *"}),
    ]


@pytest.fixture
def worlds(everywhere: Everywhere) -> Iterator[World]:
    return everywhere(App(workflows=[buy, greet]))


def test_every_request_that_takes_an_input_is_422_with_every_fault_and_creates_nothing(
    worlds: Iterator[World],
) -> None:
    for world in worlds:
        for path, body in _in_each(BAD):
            before = list(open_executions.every(world.services.directory))
            answer = world.request("POST", path, body)
            assert (answer.status, answer.body["code"]) == (422, "UNPROCESSABLE_INPUT")
            assert {fault["pointer"]: fault["message"] for fault in answer.body["details"]} == FAULTS
            assert "secret" not in str(answer.body)
            assert list(open_executions.every(world.services.directory)) == before
        world.settle()
        assert world.request("GET", "/schedules").body["schedules"] == []
        assert {world.request("POST", path, body).status for path, body in _in_each(GOOD)} <= {200, 201}
        world.request("DELETE", "/schedules/s-1")


def test_what_may_be_left_out_may_be_null(worlds: Iterator[World]) -> None:
    for world in worlds:
        world.start("greet")
        world.start("greet", "ada")
        answer = world.request("POST", "/workflow-executions", {"kind": "greet", "input": 5})
        assert (answer.status, answer.body["details"]) == (
            422,
            [{"pointer": "/input", "message": "fits none of the forms that it may have"}],
        )


def test_what_a_client_has_encoded_is_not_judged(worlds: Iterator[World]) -> None:
    encoded = PayloadCodecs(Compression()).to_wire(BAD)
    for world in worlds:
        execution = world.start("buy", encoded)
        assert history(world, execution) == [(1, "WORKFLOW_STARTED")]


def _registration(**schemas: JsonValue) -> JsonObject:
    definitions: list[JsonValue] = [{"kind": "remote", **schemas}]
    return {"name": "w", "workflowDefinitions": definitions}


def test_a_schema_that_a_worker_has_registered_holds_as_well(worlds: Iterator[World]) -> None:
    for world in worlds:
        assert world.request("POST", "/workers", _registration(inputSchema={"type": "string"})).status == 201
        answer = world.request("POST", "/workflow-executions", {"kind": "remote", "input": 5})
        assert (answer.status, answer.body["details"][0]["pointer"]) == (422, "/input")
        world.start("remote", "fits")
        world.request("POST", "/workers", _registration(inputSchema={"type": "integer"}))
        world.start("remote", 5)


@pytest.mark.parametrize("field", ["inputSchema", "outputSchema"])
@pytest.mark.parametrize("sort", ["workflowDefinitions", "taskDefinitions"])
def test_a_schema_that_is_none_is_not_registered(worlds: Iterator[World], sort: str, field: str) -> None:
    for world in worlds:
        before = world.request("GET", "/workflow-definitions").body
        definitions: list[JsonValue] = [{"kind": "fine"}, {"kind": "wrong", field: {"properties": {"a": 5}}}]
        answer = world.request("POST", "/workers", {"name": "w", sort: definitions})
        assert (answer.status, answer.body["code"]) == (400, "INVALID_SCHEMA")
        assert [fault["pointer"] for fault in answer.body["details"]] == [f"/{sort}/1/{field}/properties/a"]
        assert world.request("GET", "/workflow-definitions").body == before


def test_a_run_whose_input_no_longer_fits_is_recorded_as_failed(worlds: Iterator[World]) -> None:
    for world in worlds:
        world.request("POST", "/workers", _registration(inputSchema={"type": "string"}))
        body: JsonObject = {"kind": "remote", "input": "x", "scheduleId": "s-2", "cron": "* * * * *"}
        assert world.request("POST", "/schedules", body).status == 201
        world.request("POST", "/workers", _registration(inputSchema={"type": "integer"}))
        trigger = world.request("POST", "/schedules/s-2/trigger", {})
        assert (trigger.status, trigger.body["code"]) == (422, "UNPROCESSABLE_INPUT")
        world.jump(90)
        runs: list[Any] = world.request("GET", "/schedules/s-2/runs").body["runs"]
        assert {run["outcome"] for run in runs} == {"FAILED"}
        assert "does not fit" in runs[0]["reason"]
        world.request("DELETE", "/schedules/s-2")
