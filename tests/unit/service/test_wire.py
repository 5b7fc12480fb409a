"""Payload codecs in turns: the log holds encoded values, the code sees plain ones, and a wrong key fails no execution."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flowstrand import App, WorkflowContext, workflow
from flowstrand.engine.schema import payload_fields
from flowstrand.errors import CodecFailed
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.service import executions
from flowstrand.service.executions import StartRequest
from tests.unit.service.service_world import ORG, ServiceWorld


class Backwards:
    """Reverses bytes; stands for encryption."""

    def __init__(self, name: str = "backwards") -> None:
        self.name = name

    def encode(self, data: bytes, /) -> bytes:
        return data[::-1]

    def decode(self, data: bytes, /) -> bytes:
        return data[::-1]


@workflow
async def secretive(ctx: WorkflowContext, secret: str) -> str:
    ctx.set("stage", secret)
    told = await ctx.run("tell", lambda: f"run {secret}")
    answer = await ctx.schedule("work", f"task {secret}")
    return f"{told}, {answer}"


CODECS = PayloadCodecs(Backwards())


@pytest.fixture(params=[0, 16], ids=["cold", "warm"])
def world(request: pytest.FixtureRequest) -> ServiceWorld:
    world = ServiceWorld(warm=request.param)
    use(world, CODECS)
    return world


def use(world: ServiceWorld, codecs: PayloadCodecs) -> None:
    world.services = replace(world.services, programs=App(workflows=[secretive], codec=codecs))


def begin(world: ServiceWorld) -> str:
    request = StartRequest(kind="secretive", input=CODECS.to_wire("word"))
    return executions.start(world.services, ORG, request).workflow_execution_id


def payloads(world: ServiceWorld, execution: str) -> list[JsonValue]:
    return [
        getattr(event.data, attribute)
        for event in world.events(execution)
        for attribute, _ in payload_fields(type(event.data))
    ]


def finish(world: ServiceWorld, execution: str) -> JsonValue:
    world.settle()
    [task] = world.claim()
    world.complete(task, CODECS.to_wire(f"did {CODECS.from_wire(task.input)}"))
    world.settle()
    return executions.get(world.services, ORG, execution).output


def test_the_code_sees_plain_values_and_the_log_holds_none(world: ServiceWorld) -> None:
    execution = begin(world)
    output = finish(world, execution)
    assert CODECS.from_wire(output) == "run word, did task word"
    stored = payloads(world, execution)
    assert len([value for value in stored if value is not None]) == 6
    assert "word" not in json.dumps(stored)


def test_a_value_that_cannot_be_decoded_here_leaves_the_execution_as_it_is(world: ServiceWorld) -> None:
    use(world, PayloadCodecs(Backwards("another")))
    execution = begin(world)
    with pytest.raises(CodecFailed):
        world.settle()
    assert world.types(execution) == "WORKFLOW_STARTED"
    use(world, CODECS)
    world.jump(world.services.settings.wake_visibility_ms)
    assert CODECS.from_wire(finish(world, execution)) == "run word, did task word"
