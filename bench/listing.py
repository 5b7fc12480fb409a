"""What the projector adds to a commit, and whether a page of ten thousand executions costs the same wherever it lies."""

from __future__ import annotations

import secrets
import sys
from functools import partial

from bench.engine import ORG, engine
from bench.measuring import Measured, Target, growth, measure, report
from flowstrand import WorkflowContext, workflow
from flowstrand.engine import ids
from flowstrand.engine.events import WorkflowStarted, WorkflowStatus
from flowstrand.log.packing import pack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.sdk.app import App
from flowstrand.service import listing
from flowstrand.service.container import Services
from flowstrand.service.listing import Filter
from flowstrand.service.projection import project

EXECUTIONS = 10_000
KINDS = 100
EACH, TENS, FLAT = 2.5, 2.0, 2.0


@workflow(name="order")
async def order(ctx: WorkflowContext, count: int) -> int:
    """One task after another."""
    for _ in range(count):
        await ctx.schedule("work")
    return count


def main() -> int:
    """Measure and report."""
    measured, targets = _projecting()
    pages, flatness = _pages()
    return report([*measured, *pages], [*targets, *flatness])


def _projecting() -> tuple[list[Measured], list[Target]]:
    """Ten executions at once: without a projector, with one that sees each commit by itself, and with one that sees ten."""
    measured: list[Measured] = []
    targets: list[Target] = []
    for place in ("memory", "disk"):
        alone = _executing(place, 0, "no projector")
        each = _executing(place, 1, "each commit projected")
        tens = _executing(place, 10, "ten commits projected together")
        measured += [alone, each, tens]
        for one, limit in ((each, EACH), (tens, TENS)):
            targets.append(Target(what=f"{one.what} : none, CPU", value=one.cpu_ms / alone.cpu_ms, limit=limit))
    return measured, targets


def _executing(place: str, together: int, how: str) -> Measured:
    app, is_on_disk = App(workflows=[order]), place == "disk"
    with engine(app, on_disk=is_on_disk, projected_together=together) as running:
        return measure(f"10 executions in {place}, {how}", lambda: running.run_all("order", 4, 10), rounds=11)


def _pages() -> tuple[list[Measured], list[Target]]:
    with engine(App(workflows=[order]), on_disk=False) as running:
        services = running.services
        _fill(services)
        wanted = {
            "every": Filter(),
            "one kind's": Filter(kind="kind-7"),
            "open": Filter(status=WorkflowStatus.PENDING),
        }
        measured: list[Measured] = []
        targets: list[Target] = []
        for what, asked in wanted.items():
            starts = _starts(services, asked)
            first, last = (partial(_page, services, asked, start) for start in (starts[0], starts[-1]))
            measured += [
                measure(f"the first page of {what}", first, rounds=21),
                measure(f"the last page of {what}", last, rounds=21),
            ]
            late = partial(_page, services, asked, starts[-2])  # the last page may be short
            ratio = growth(first, late, repeats=1, rounds=21)
            targets.append(
                Target(what=f"a page of {what}, {len(starts) - 2} pages on : the first", value=ratio, limit=FLAT)
            )
    return measured, targets


def _page(services: Services, asked: Filter, after: str) -> str | None:
    return listing.page(services, ORG, asked, after=after, limit=50).next_after


def _starts(services: Services, asked: Filter) -> list[str]:
    """Where each page begins."""
    starts = [""]
    while (start := _page(services, asked, starts[-1])) is not None:
        starts.append(start)
    return starts


def _fill(services: Services) -> None:
    """Ten thousand executions of a hundred kinds, as they are when they have begun."""
    began_ms = services.clock.now_ms() - EXECUTIONS
    ends: dict[LogKey, int] = {}
    for number in range(EXECUTIONS):
        commit = _first_commit(began_ms + number, f"kind-{number % KINDS}")
        services.log.append(commit)
        ends[commit.key] = 1
    if project(services, ends):
        raise RuntimeError("a log was not projected")


def _first_commit(at_ms: int, kind: str) -> Commit:
    execution = ids.execution_id(at_ms, secrets.token_bytes(10))
    started = WorkflowStarted(
        workflow_execution_id=execution, kind=kind, status=WorkflowStatus.PENDING, input=None, queue="default"
    )
    return Commit(
        key=LogKey(ORG, execution),
        sequence=1,
        count=1,
        events=pack_events([started]),
        written_at_ms=at_ms,
        commit_id=execution,
    )


if __name__ == "__main__":
    sys.exit(main())
