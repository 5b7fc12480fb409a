import asyncio
import asyncio as aio
import time
from asyncio import Queue, gather, sleep
from time import sleep as block

import anyio

from flowstrand import TaskContext, WorkflowContext, task, workflow

GATE = asyncio.Lock()
INBOX: asyncio.Queue[str] = asyncio.Queue()


@task
async def work(ctx: TaskContext) -> int:
    await asyncio.sleep(1)
    time.sleep(1)
    return 1


@workflow
async def waits_for_an_event_loop(ctx: WorkflowContext) -> None:
    time.sleep(1)  # expect: FS201
    block(1)  # expect: FS201
    await asyncio.sleep(1)  # expect: FS202
    await sleep(1)  # expect: FS202
    await aio.wait_for(ctx.schedule(work), 3)  # expect: FS202
    await gather(ctx.schedule(work), ctx.schedule(work))  # expect: FS202
    await asyncio.wait([ctx.schedule_async(work)])  # expect: FS202
    started = asyncio.create_task(child(ctx))  # expect: FS202
    await started
    queue = Queue()  # expect: FS202
    await queue.put(1)
    lock = asyncio.Lock()  # expect: FS202
    async with lock:
        pass
    async with GATE:  # expect: FS202
        pass
    await INBOX.get()  # expect: FS202
    async with asyncio.timeout(5):  # expect: FS202
        await ctx.schedule(work)
    async with asyncio.TaskGroup() as group:  # expect: FS202
        group.create_task(child(ctx))
    await asyncio.to_thread(block, 1)  # expect: FS202, FS201
    asyncio.get_running_loop().call_later(1, print)  # expect: FS202
    await anyio.sleep(1)  # expect: FS202
    for finished in asyncio.as_completed([ctx.schedule(work)]):  # expect: FS202
        await finished


async def child(ctx: WorkflowContext) -> None:
    try:
        await ctx.sleep(1)
    except asyncio.CancelledError:
        raise


@workflow
async def waits_for_its_log(ctx: WorkflowContext) -> None:
    try:
        await ctx.gather(ctx.sleep(1), child(ctx))
        await ctx.run("pause", asyncio.sleep, 0.1)
        await ctx.run("pause", time.sleep, 0.1)
    except BaseException:
        pass
    except:
        pass
    if asyncio.iscoroutinefunction(child):
        await child(ctx)
