"""A conversation with an agent: each message is a signal, each answer is streamed token by token as it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from flowstrand import App, TaskContext, TimedOut, WorkflowContext, task, workflow

IDLE = timedelta(minutes=30)


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    AGENT = "agent"


class Message(BaseModel):
    """Something said."""

    role: Role
    text: str


class Conversation(BaseModel):
    """Everything said so far."""

    messages: list[Message] = Field(default_factory=list)

    def add(self, role: Role, text: str) -> None:
        """Append a message."""
        self.messages.append(Message(role=role, text=text))


@task(name="answer", timeout=timedelta(minutes=5))
async def answer(ctx: TaskContext, conversation: Conversation) -> str:
    """Ask the model. Whoever follows the execution's stream reads the answer as it is made."""
    words: list[str] = []
    async for word in model(conversation.messages[-1].text):
        await ctx.stream_token(word)
        words.append(word)
    return "".join(words)


async def model(prompt: str) -> AsyncIterator[str]:
    """A model that agrees with everybody."""
    for word in ("You ", "say: ", prompt):
        yield word


@workflow(name="conversation")
async def converse(ctx: WorkflowContext) -> Conversation:
    """Answer messages until there are none for half an hour, or somebody says that it is over.

    Messages that arrive while the model thinks are answered together, in one turn.
    """
    conversation = Conversation()
    while not ctx.has_signal("end"):
        try:
            conversation.add(Role.USER, await ctx.wait_for_signal("message", str, timeout=IDLE))
        except TimedOut:
            break
        for text in ctx.drain_signals("message", str):
            conversation.add(Role.USER, text)
        conversation.add(Role.AGENT, await ctx.schedule(answer, conversation))
        ctx.set("conversation", conversation)
    return conversation


app = App(workflows=[converse], tasks=[answer])
