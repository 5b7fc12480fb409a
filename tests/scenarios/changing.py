"""Code that changes while executions are under way: each pair is what was deployed first, and what came after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from typing import Any

from flowstrand import App, WorkflowContext, workflow
from flowstrand.engine.replay.program import Program
from tests.scenarios.author import task

Code = Callable[[WorkflowContext], Coroutine[Any, Any, Any]]


class Deployed:
    """`Programs` whose code is replaced, as a deployment does."""

    def __init__(self, code: Code) -> None:
        self._app = App()
        self.deploy(code)

    def deploy(self, code: Code) -> None:
        """From now on, `changing` is this."""
        self._app = App(workflows=[workflow(name="changing")(code)])

    def program(self, kind: str) -> Program | None:
        return self._app.program(kind)

    def kinds(self) -> Collection[str]:
        return self._app.kinds()


async def two_tasks(ctx: WorkflowContext) -> str:
    await task(ctx, "a")
    await task(ctx, "b")
    return "first"


async def swapped(ctx: WorkflowContext) -> str:
    await task(ctx, "b")
    await task(ctx, "a")
    return "swapped"


async def swapped_and_swallowed(ctx: WorkflowContext) -> str:
    with suppress(BaseException):
        await swapped(ctx)
    return "swallowed"


async def another_before(ctx: WorkflowContext) -> str:
    await ctx.sleep(1)
    return await two_tasks(ctx)


async def beginning_removed(ctx: WorkflowContext) -> str:
    await task(ctx, "b")
    return "less"


async def all_removed(ctx: WorkflowContext) -> str:
    return "nothing to do"


async def function_added(ctx: WorkflowContext) -> str:
    await ctx.run("look", lambda: 1)
    return await two_tasks(ctx)


async def with_function(ctx: WorkflowContext) -> str:
    await ctx.run("look", lambda: 1)
    await task(ctx, "a")
    return "looked"


async def function_removed(ctx: WorkflowContext) -> str:
    await task(ctx, "a")
    return "did not look"


async def function_renamed(ctx: WorkflowContext) -> str:
    await ctx.run("stare", lambda: 1)
    await task(ctx, "a")
    return "stared"


# --- with patches -----------------------------------------------------------------------------------


async def inserts_with_patch(ctx: WorkflowContext) -> str:
    if ctx.patched("first-c"):
        await task(ctx, "c")
    await task(ctx, "a")
    await task(ctx, "b")
    return "patched"


async def replaces_with_patch(ctx: WorkflowContext) -> str:
    await task(ctx, "a")
    await task(ctx, "c" if ctx.patched("c-for-b") else "b")
    return "patched"


async def deprecates(ctx: WorkflowContext) -> str:
    ctx.deprecate_patch("first-c")
    await task(ctx, "c")
    await task(ctx, "a")
    await task(ctx, "b")
    return "deprecated"


async def deprecates_and_swallows(ctx: WorkflowContext) -> str:
    with suppress(BaseException):
        await deprecates(ctx)
    return "swallowed"
