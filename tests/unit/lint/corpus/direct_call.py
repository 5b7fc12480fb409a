from flowstrand import TaskContext, WorkflowContext, task, workflow


@task(name="work")
async def work(ctx: TaskContext, number: int = 0) -> int:
    return open("/dev/null").fileno()


@task
class Work:
    def run(self, ctx: TaskContext) -> int:
        return open("/dev/null").fileno()


@workflow
async def child(ctx: WorkflowContext) -> int:
    return await ctx.schedule(work, 1)


@workflow
async def calls_definitions(ctx: WorkflowContext) -> None:
    await work(ctx, 1)  # expect: FS205
    Work().run(ctx)  # expect: FS205
    await child(ctx)  # expect: FS205
    await ctx.schedule(Work)
    await ctx.schedule_workflow(child)
    await ctx.map([1, 2], work)
