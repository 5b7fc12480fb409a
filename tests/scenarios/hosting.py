"""A world whose tasks run in the stack: no worker anywhere. Lambda's part is played by `run`."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flowstrand import App, RetryPolicy, TaskContext, TaskFailed, WorkflowContext, task, workflow
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.queues.hosted import HostedTasks
from flowstrand.queues.messages import TaskMessage, dump
from flowstrand.queues.visibility import VisibilityQueue
from flowstrand.service.container import Services
from tests.scenarios.world import World

THRICE = RetryPolicy(max_attempts=3, initial=1.0)
VISIBILITY_MS = 5_400_000


@task(name="double")
async def double(ctx: TaskContext, number: int) -> int:
    """Streams what it is about to do."""
    await ctx.stream_token(f"{number} ")
    return 2 * number


@task(name="in-thread")
def in_thread(ctx: TaskContext, number: int) -> int:
    """Not `async`."""
    ctx.heartbeat()
    return number + 1


@task(name="unlucky", retry=THRICE)
async def unlucky(ctx: TaskContext) -> str:
    """Succeeds at its third attempt."""
    ctx.logger.info("attempt %d", ctx.attempt)
    if ctx.attempt < 3:
        raise LookupError("no luck")
    return f"attempt {ctx.attempt}"


@task(name="endless", retry=RetryPolicy(max_attempts=2, initial=1.0))
async def endless(ctx: TaskContext) -> str:
    """Gets on only in its second attempt, from where the first one was."""
    if ctx.heartbeat_details is None:
        await ctx.heartbeat({"row": 7})
        await never()
    return f"went on from {ctx.heartbeat_details}"


CANCELLING: list[Callable[[], object]] = []
"""What cancels the execution of `cancels-itself` while that runs."""


@task(name="cancels-itself", retry=RetryPolicy(max_attempts=1))
async def cancels_itself(ctx: TaskContext) -> str:
    """Its execution is cancelled while it works; a heartbeat finds out."""
    await asyncio.to_thread(CANCELLING.pop())
    await ctx.heartbeat()
    await never()
    return "not reached"


async def never() -> None:
    """As a task that waits for something outside, which does not come."""
    await asyncio.Event().wait()


@workflow(name="hosted")
async def hosted(ctx: WorkflowContext, numbers: list[int]) -> list[int]:
    """Tasks in parallel, then one more."""
    doubled = await ctx.gather(*(ctx.schedule(double, number) for number in numbers))
    return [*doubled, await ctx.schedule(in_thread, sum(doubled))]


@workflow(name="runs")
async def runs(ctx: WorkflowContext, kind: str) -> JsonValue:
    """One task by name."""
    try:
        return await ctx.schedule(kind)
    except TaskFailed as failure:
        return f"failed: {failure.error_type}"


APP = App(workflows=[hosted, runs], tasks=[double, in_thread, unlucky, endless, cancels_itself])


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Lambda's context of one invocation."""

    remaining: Callable[[], int] = lambda: 900_000
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Until the function is killed."""
        return self.remaining()


class StackQueue:
    """The stack's own queue, in memory."""

    def __init__(self, world: World) -> None:
        self.queue: VisibilityQueue[TaskMessage] = VisibilityQueue(world.clock, visibility_ms=VISIBILITY_MS)

    def send(self, messages: Any, *, delay_ms: int = 0) -> None:
        self.queue.put(messages, delay_ms=delay_ms)


class Hosting:
    """A world and its worker function."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stack = StackQueue(world)
        tasks = HostedTasks(world.tasks, self.stack, queue="default", kinds=APP.task_kinds)
        # What attempts wait between heartbeats is real time.
        settings = replace(world.services.settings, heartbeat_ms=50)
        self.services: Services = replace(world.services, tasks=tasks, settings=settings)
        world.services = self.services

    def run(self, context: Context | None = None) -> list[TaskMessage]:
        """Deliver every message that can be received, one an invocation; returns them."""
        delivered: list[TaskMessage] = []
        while taken := self.stack.queue.take(limit=1):
            message = taken[0].message
            assert self.invoke(message, context) == []
            self.stack.queue.remove(taken[0].receipt)
            delivered.append(message)
            if context is not None:
                return delivered
        return delivered

    def invoke(self, message: TaskMessage, context: Context | None = None) -> list[JsonObject]:
        """Deliver one message; returns what the function has not dealt with."""
        handler = importlib.import_module("functions.worker.app").lambda_handler
        record = {
            "messageId": "m-1",
            "receiptHandle": "r-1",
            "body": dump(message),
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:hosted",
            "awsRegion": "eu-central-1",
        }
        answer: dict[str, list[JsonObject]] = handler({"Records": [record]}, context or Context())
        return answer["batchItemFailures"]

    def finish(self, execution: str) -> Any:
        """Let turns and tasks run until the execution has ended; retries come at their time."""
        for _ in range(100):
            self.world.settle()
            if not self.run() and self.world.get(execution)["status"] in {"COMPLETED", "FAILED", "CANCELLED"}:
                return self.world.get(execution)
            self.world.settle()
            moment = self.stack.queue.next_at_ms()
            if moment is not None and moment > self.world.clock.ms:
                self.world.jump((moment - self.world.clock.ms) / 1_000)
        raise AssertionError("the execution never ended")

    def types(self, execution: str) -> list[str]:
        """Its log, as the names of its events."""
        events = self.world.request("GET", f"/workflow-executions/{execution}/events").body["events"]
        return [event["type"] for event in events]
