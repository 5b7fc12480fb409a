from datetime import timedelta

from pydantic import BaseModel, Field

from flowstrand import TaskContext, WorkflowContext, task, workflow


class Message(BaseModel):
    text: str
    tags: set[str] = Field(default_factory=set)


class Conversation(BaseModel):
    messages: list[Message] = Field(default_factory=list)


@task(name="answer")
async def answer(ctx: TaskContext, conversation: Conversation) -> str:
    import httpx

    async with httpx.AsyncClient() as client:
        return (await client.get("https://example.org")).text


@workflow(name="conversation")
class Talk:
    async def run(self, ctx: WorkflowContext, conversation: Conversation) -> Conversation:
        while True:
            message = await ctx.wait_for_signal("message", Message, timeout=timedelta(hours=1))
            conversation.messages.append(message)
            seen = {message.text for message in conversation.messages}
            if "bye" in seen:
                break
            winner, value = await ctx.select(ctx.schedule_async(answer, conversation), ctx.sleep(30))
            conversation.messages.append(Message(text=str(value)))
            ctx.logger.info("answered %s", winner)
            print("fine unless FS304 is selected")
        return conversation
