"""Parallel tasks that one `gather` waits for: whether a thousand cost as much each as a hundred do."""

from __future__ import annotations

import sys

from bench.engine import engine
from bench.measuring import Target, growth, measure, report
from flowstrand import TaskContext, WorkflowContext, task, workflow
from flowstrand.sdk.app import App

GROWTH = 20.0
"""Ten times as many tasks; what is open is written with each checkpoint, so the growth is more than tenfold."""


@task(name="work")
async def work(_ctx: TaskContext, number: int) -> int:
    """Never run: the bench completes it with its input."""
    return number


@workflow(name="fanout")
async def fanout(ctx: WorkflowContext, count: int) -> int:
    """All at once."""
    results = await ctx.gather(*(ctx.schedule(work, number) for number in range(count)))
    return sum(results)


def main() -> int:
    """Measure and report."""
    with engine(App(workflows=[fanout], tasks=[work]), on_disk=False) as memory:
        hundred = measure("100 tasks", lambda: memory.run("fanout", 100), rounds=7)
        thousand = measure("1,000 tasks", lambda: memory.run("fanout", 1_000), rounds=1, warm_up=0)
        ratio = growth(
            lambda: memory.run("fanout", 100), lambda: memory.run("fanout", 1_000), repeats=10, rounds=1
        )
    return report([hundred, thousand], [Target(what="1,000 tasks : 100 tasks", value=ratio, limit=GROWTH)])


if __name__ == "__main__":
    sys.exit(main())
