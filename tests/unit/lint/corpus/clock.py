import datetime as dtm
import time
import time as t
from datetime import date, datetime
from datetime import datetime as dt
from time import monotonic as tick
from time import perf_counter

import flowstrand
from flowstrand import WorkflowContext, workflow

now = datetime.now
UTC = dtm.timezone.utc


@workflow(name="clock")
async def reads_clocks(ctx: WorkflowContext) -> list[object]:
    return [
        datetime.now(),  # expect: FS101
        datetime.now(UTC),  # expect: FS101
        datetime.utcnow(),  # expect: FS101
        datetime.today(),  # expect: FS101
        dt.now(tz=UTC),  # expect: FS101
        dtm.datetime.now(),  # expect: FS101
        date.today(),  # expect: FS101
        dtm.date.today(),  # expect: FS101
        time.time(),  # expect: FS101
        t.time_ns(),  # expect: FS101
        time.monotonic(),  # expect: FS101
        tick(),  # expect: FS101
        perf_counter(),  # expect: FS101
        now(),  # expect: FS101
        time.strftime("%Y"),  # expect: FS101
        time.localtime(),  # expect: FS101
        datetime.now().date().isoformat(),  # expect: FS101
    ]


@workflow
async def waits_for_noon(ctx: WorkflowContext) -> None:
    while datetime.now().hour < 12:  # expect: FS101
        await ctx.sleep(60)


@flowstrand.workflow()
async def default_of_an_inner_function(ctx: WorkflowContext) -> object:
    def stamped(at: object = datetime.now()) -> object:  # expect: FS101
        return at

    return stamped()


@workflow
async def passes_the_clock_on(ctx: WorkflowContext) -> list[float]:
    return list(map(lambda _: time.time(), range(3))) + call_each([time.time], time.time)  # expect: FS101, FS101


def call_each(readers: object, reader: object) -> list[float]:
    return []


@workflow
async def local_import(ctx: WorkflowContext) -> str:
    from datetime import datetime as clock

    return f"now: {clock.now():%H}"  # expect: FS101
