"""Executions that are started by a name: once under an idempotency key, and with the first signal for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from flowstrand import WorkflowContext, workflow
from flowstrand.errors import Conflict, InvalidInput, NotFound
from flowstrand.testing import Environment

pytestmark = pytest.mark.anyio


@workflow
async def conversation(ctx: WorkflowContext, greeting: str) -> list[str]:
    said = [greeting]
    while said[-1] != "bye":
        said.append(await ctx.wait_for_signal("say", str))
    return said


@workflow
async def errand(ctx: WorkflowContext) -> str:
    await ctx.sleep(60)
    return "done"


@pytest.fixture(params=["cold", "warm", "both"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[Environment]:
    async with Environment(workflows=[conversation, errand], replay=request.param) as env:
        yield env


async def test_a_key_stands_for_one_execution(env: Environment) -> None:
    first = await env.start(errand, idempotency_key="today")
    assert (await env.start(errand, idempotency_key="today")).id == first.id
    assert await env.start_and_wait(errand, idempotency_key="today") == "done"
    assert (await env.start(errand, idempotency_key="tomorrow")).id != first.id
    assert len(env.executions()) == 2


async def test_ids_that_the_environment_and_the_engine_make_are_never_the_same(env: Environment) -> None:
    started = [await env.start(errand), await env.start(errand, idempotency_key="k"), await env.start(errand)]
    assert len({handle.id for handle in started}) == 3


async def test_a_key_is_free_again_in_its_time(env: Environment) -> None:
    ttl = timedelta(hours=1)
    first = await env.start(errand, idempotency_key="k", idempotency_key_ttl=ttl)
    await first.result()
    assert (await env.start(errand, idempotency_key="k")).id == first.id
    await env.advance(ttl)
    assert (await env.start(errand, idempotency_key="k")).id != first.id


async def test_a_key_of_another_execution_is_refused(env: Environment) -> None:
    await env.start(errand, idempotency_key="k")
    with pytest.raises(Conflict):
        await env.start(conversation, "hello", idempotency_key="k")
    with pytest.raises(InvalidInput):
        await env.start(errand, id="mine", idempotency_key="k")


async def test_whoever_signals_first_starts_it_and_everybody_is_heard(env: Environment) -> None:
    first = await env.signal_with_start(conversation, "chat-7", "say", "one", input="hello")
    second = await env.signal_with_start("conversation", "chat-7", "say", "two", input="not used")
    assert second.id == first.id
    assert [event.type for event in await first.events()][:2] == ["WORKFLOW_STARTED", "SIGNAL_RECEIVED"]
    await env.signal_with_start(conversation, "chat-7", "say", "bye", input="not used")
    assert await first.result() == ["hello", "one", "two", "bye"]
    again = await env.signal_with_start(conversation, "chat-7", "say", "bye", input="once more")
    assert (again.id != first.id, await again.result()) == (True, ["once more", "bye"])


async def test_a_repeated_request_is_heard_once(env: Environment) -> None:
    for _ in range(2):
        handle = await env.signal_with_start(conversation, "k", "say", "one", input="hello", request_id="r")
    await handle.signal("say", "bye")
    assert await handle.result() == ["hello", "one", "bye"]


async def test_what_the_environment_does_not_have_is_not_started(env: Environment) -> None:
    with pytest.raises(NotFound):
        await env.signal_with_start("nothing", "k", "say")
    assert env.executions() == []
