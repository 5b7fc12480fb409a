"""What runs as a workflow, and what does not."""

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import requests

from flowstrand import App, TaskContext, WorkflowContext, task, workflow
from flowstrand.sdk.workflow import workflow as durable


def first() -> str:
    return second()


def second() -> str:
    return f"{datetime.now()}"  # expect: FS101


async def helper_of_another_module(ctx: WorkflowContext) -> datetime:
    return datetime.now()  # expect: FS101


async def quoted(ctx: "WorkflowContext") -> datetime:
    return datetime.now()  # expect: FS101


def not_reached() -> str:
    return f"{datetime.now()}"


def only_recorded() -> str:
    return f"{datetime.now()}"


def both() -> str:
    return f"{datetime.now()}"  # expect: FS101


class Base:
    def shared(self) -> datetime:
        return datetime.now()  # expect: FS101

    def unused(self) -> datetime:
        return datetime.now()


@durable(name="order")
class Order(Base):
    def __init__(self) -> None:
        self.id = uuid.uuid4()  # expect: FS103

    async def run(self, ctx, input) -> None:
        first()
        self.shared()
        _ = self.lucky
        await self._later(ctx)
        await ctx.run("effect", only_recorded)
        await ctx.run("effect", both)
        both()

    @property
    def lucky(self) -> int:
        return random.randint(1, 6)  # expect: FS102

    async def _later(self, context) -> None:
        await context.run("effect", lambda: requests.get("x"))
        requests.get("x")  # expect: FS302

    @staticmethod
    def unused_too() -> datetime:
        return datetime.now()


@workflow
async def nests(ctx: WorkflowContext) -> None:
    def charged() -> float:
        return random.random()

    def recorded() -> float:
        return random.random()

    def called() -> float:
        return random.random()  # expect: FS102

    pick = lambda: random.random()  # expect: FS102
    effect = lambda: random.random()

    async def branch(number: int) -> None:
        await ctx.run("charge", charged)
        requests.get("x")  # expect: FS302

    async def later() -> None:
        requests.get("x")  # expect: FS302

    await ctx.run("recorded", recorded)
    await ctx.run("effect", effect)
    await ctx.run("effect", partial(only_recorded, 1), retry=None)
    await ctx.run("effect", partial(only_recorded, uuid.uuid4()))  # expect: FS103
    await ctx.run("effect", recorded if pick() else only_recorded)
    await ctx.run("effect", requests.get, "x")
    await ctx.run("effect", requests.get, called())
    await ctx.gather(*(branch(number) for number in range(3)))
    ctx.on_close(later)
    await ctx.map(range(3), mapped)


async def mapped(number: int) -> None:
    random.random()  # expect: FS102


@dataclass
class Line:
    id: uuid.UUID = field(default_factory=uuid.uuid4)  # expect: FS103
    at: datetime = field(default_factory=lambda: datetime.now())  # expect: FS101

    def __post_init__(self) -> None:
        self.lucky = random.random()  # expect: FS102


@dataclass
class NeverMade:
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@workflow
async def makes(ctx: WorkflowContext) -> object:
    return Line()


async def declared_by_call(ctx) -> None:
    datetime.now()  # expect: FS101


by_call = workflow(name="by-call")(declared_by_call)


app = App()


@app.workflow(name="of-an-app")
async def of_an_app(c) -> None:
    datetime.now()  # expect: FS101
    await c.run("effect", datetime.now)


@workflow
async def first_parameter_of_any_name(strand) -> None:
    await strand.run("effect", lambda: datetime.now())


@task
async def a_task(ctx: TaskContext) -> None:
    datetime.now()
    requests.get("x")


async def helper_of_tasks(ctx: TaskContext) -> None:
    datetime.now()
