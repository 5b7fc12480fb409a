"""A roll-out: a workflow for the release, one for each region, one for each host, and what each does when another fails."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from flowstrand import (
    App,
    ChildWorkflowFailed,
    ParentClosePolicy,
    TaskContext,
    WorkflowContext,
    task,
    workflow,
)

SOAK = timedelta(hours=1)
WATCH = timedelta(days=7)


class Release(BaseModel):
    """A version, and where it goes: hosts by region."""

    version: str
    regions: dict[str, list[str]]


class Region(BaseModel):
    """One region's part of a release."""

    name: str
    version: str
    hosts: list[str]


class Host(BaseModel):
    """A host, and the version it is to have."""

    name: str
    version: str


@task(name="install")
async def install(ctx: TaskContext, host: Host) -> None:
    """Put the version on the host."""


@task(name="roll-back")
async def roll_back(ctx: TaskContext, host: Host) -> None:
    """Put the version before it on the host."""


@task(name="check-health")
async def check_health(ctx: TaskContext, host: Host) -> bool:
    """Whether the host is well."""
    return True


@task(name="report")
async def report(ctx: TaskContext, version: str) -> None:
    """Tell how the version has done."""


@workflow(name="rollout/host")
async def update_host(ctx: WorkflowContext, host: Host) -> str:
    """Install, wait, look. A host that is not well, or whose roll-out is called off, gets its old version back."""
    ctx.compensate(ctx.schedule, roll_back, host)
    await ctx.schedule(install, host)
    await ctx.sleep(SOAK)
    if not await ctx.schedule(check_health, host):
        raise RuntimeError(f"{host.name} is not well")
    return host.name


@workflow(name="rollout/region")
async def update_region(ctx: WorkflowContext, region: Region) -> list[str]:
    """All hosts of a region at once. If one fails, so does the region; the others are cancelled as it ends."""
    hosts = [Host(name=name, version=region.version) for name in region.hosts]
    return list(await ctx.gather(*(ctx.schedule_workflow(update_host, host, name=host.name) for host in hosts)))


@workflow(name="rollout/watch")
async def watch(ctx: WorkflowContext, version: str) -> None:
    """Look back after a week: nobody waits for this."""
    await ctx.sleep(WATCH)
    await ctx.schedule(report, version)


@workflow(name="rollout")
async def roll_out(ctx: WorkflowContext, release: Release) -> list[str]:
    """Region after region. What is already out is watched by a child that outlives this execution."""
    updated: list[str] = []
    for name, hosts in release.regions.items():
        region = Region(name=name, version=release.version, hosts=hosts)
        try:
            updated += await ctx.schedule_workflow(update_region, region, name=name)
        except ChildWorkflowFailed as failed:
            ctx.logger.warning("%s failed, %s stays on %s: %s", name, release.version, updated, failed)
            break
    ctx.schedule_workflow(watch, release.version, parent_close_policy=ParentClosePolicy.ABANDON)
    return updated


app = App(
    workflows=[roll_out, update_region, update_host, watch], tasks=[install, roll_back, check_health, report]
)
