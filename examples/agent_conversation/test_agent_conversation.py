"""Conversations: turns, messages that come meanwhile, and how they end."""

from __future__ import annotations

from datetime import timedelta

from examples.agent_conversation.app import Conversation, answer, app, converse
from flowstrand.testing import Environment


def texts(conversation: Conversation) -> list[str]:
    """What was said, by whoever."""
    return [message.text for message in conversation.messages]


async def test_each_message_is_answered() -> None:
    async with Environment(app=app) as env:
        execution = await env.start(converse)
        await execution.signal("message", "hello")
        await execution.signal("message", "and goodbye")
        assert texts(await execution.result()) == [
            "hello",
            "You say: hello",
            "and goodbye",
            "You say: and goodbye",
        ]


async def test_messages_that_come_while_the_model_thinks_are_answered_together() -> None:
    async def think(_ctx: object, conversation: Conversation) -> str:
        await env.sleep(timedelta(seconds=20))
        return f"answer to {len(conversation.messages)}"

    async with Environment(app=app) as env:
        env.fake(answer, think)
        execution = await env.start(converse)
        for text in ("one", "two", "three"):
            await execution.signal("message", text)
        assert texts(await execution.result()) == ["one", "answer to 1", "two", "three", "answer to 4"]


async def test_half_an_hour_of_silence_ends_it() -> None:
    async with Environment(app=app) as env:
        began = env.now
        assert await env.start_and_wait(converse) == Conversation()
        assert env.now - began == timedelta(minutes=30)


async def test_the_user_can_end_it_after_an_answer() -> None:
    async with Environment(app=app) as env:
        execution = await env.start(converse)
        await execution.signal("end")
        await execution.signal("message", "last words")
        assert texts(await execution.result())[0] == "last words"


async def test_the_answer_is_in_the_stream_before_the_task_is_done() -> None:
    async with Environment(app=app) as env:
        execution = await env.start(converse)
        await execution.signal("message", "hello")
        events = await env.collect_events_until(execution, "TASK_COMPLETED")
        tokens = [str(event.data["payload"]) for event in events if event.type == "STREAM_TOKEN"]
        assert "".join(tokens) == "You say: hello"
