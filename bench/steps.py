"""Sequential `ctx.run` steps: what ten cost, and whether a thousand cost as much each as fifty do."""

from __future__ import annotations

import sys

from bench.engine import engine
from bench.measuring import Measured, Target, growth, measure, report
from flowstrand import WorkflowContext, workflow
from flowstrand.sdk.app import App

TEN_MS = 10.0
GROWTH = 20.0


def step(number: int) -> int:
    """What each step does."""
    return number + 1


@workflow(name="steps")
async def steps(ctx: WorkflowContext, count: int) -> int:
    """One step after another, each with the result of the last."""
    total = 0
    for _ in range(count):
        total = await ctx.run("step", step, total)
    return total


def main() -> int:
    """Measure and report."""
    app = App(workflows=[steps])
    measured: list[Measured] = []
    with engine(app, on_disk=False) as memory:
        ten = measure("10 steps, in memory", lambda: memory.run("steps", 10), rounds=51, warm_up=5)
    with engine(app, on_disk=True) as disk:
        measured.append(measure("10 steps, on disk", lambda: disk.run("steps", 10), rounds=21, warm_up=3))
    with engine(app, on_disk=False) as memory:
        fifty = measure("50 steps, in memory", lambda: memory.run("steps", 50), rounds=15, warm_up=2)
        thousand = measure("1,000 steps, in memory", lambda: memory.run("steps", 1_000), rounds=3)
        ratio = growth(lambda: memory.run("steps", 50), lambda: memory.run("steps", 1_000), repeats=20, rounds=5)
    return report(
        [ten, *measured, fifty, thousand],
        [
            Target(what="10 steps, median", value=ten.median_ms, limit=TEN_MS, unit=" ms"),
            Target(what="1,000 steps : 50 steps", value=ratio, limit=GROWTH),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
