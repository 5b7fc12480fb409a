from collections.abc import Set as AbstractSet

from flowstrand import TaskContext, WorkflowContext, task, workflow


@task
async def notify(ctx: TaskContext, name: str) -> None: ...


@workflow
async def commands_in_the_order_of_a_set(ctx: WorkflowContext, names: list[str]) -> None:
    for name in {"ann", "bob"}:  # expect: FS106
        await ctx.schedule(notify, name)
    for name in set(names):  # expect: FS106
        ctx.schedule_async(notify, name)
    unique = {name.lower() for name in names}
    for name in unique:  # expect: FS106
        await ctx.schedule(notify, name)
    for name in unique | {"carl"}:  # expect: FS106
        await ctx.schedule(notify, name)
    for number, name in enumerate(unique):  # expect: FS106
        await ctx.schedule(notify, f"{number}{name}")
    await ctx.gather(*(ctx.schedule(notify, name) for name in set(names)))  # expect: FS106
    await ctx.gather(*[ctx.schedule(notify, name) for name in frozenset(names) - {"ann"}])  # expect: FS106
    await ctx.map(unique, lambda name: ctx.schedule(notify, name))  # expect: FS106
    await ctx.schedule(notify, list(unique))  # expect: FS106
    await ctx.schedule(notify, [name.upper() for name in unique])  # expect: FS106


async def helper(ctx: WorkflowContext, names: set[str], others: AbstractSet[str], more: frozenset) -> None:
    for name in names:  # expect: FS106
        await notify_all(ctx, name)
    for name in others:  # expect: FS106
        await notify_all(ctx, name)
    for name in names.union(more):  # expect: FS106
        await notify_all(ctx, name)
    for name in more:  # expect: FS106
        await notify_all(ctx, name)


async def notify_all(ctx: WorkflowContext, name: str) -> None:
    await ctx.schedule(notify, name)


@workflow
async def order_that_does_not_matter(ctx: WorkflowContext, names: list[str]) -> int:
    unique = set(names)
    total = 0
    for name in unique:
        total += len(name)
    for name in sorted(unique):
        await ctx.schedule(notify, name)
    await ctx.gather(*(ctx.schedule(notify, name) for name in sorted(set(names))))
    await ctx.schedule(notify, sorted(unique))
    for name in names:
        await ctx.schedule(notify, name)
    return sum(len(name) for name in unique) + total
