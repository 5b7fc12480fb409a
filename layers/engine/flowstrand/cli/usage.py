"""`flowstrand usage`: usage plans of a stack: which orgs are counted by themselves, and what they have used."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.on_place import Visit, on_place
from flowstrand.engine.schema import rfc3339

if TYPE_CHECKING:
    from datetime import date

    from flowstrand.jsonvalue import JsonObject
    from flowstrand.operations.usage_plans import DayOfUse
    from flowstrand.service.callers.usage_keys import UsageKey

Org: TypeAlias = Annotated[str, typer.Argument(help="Whose requests.")]

_ORGS = (
    Column("org", "ORG"),
    Column("planId", "PLAN", is_whole=True),
    Column("keyId", "KEY", is_whole=True),
    Column("createdAt", "SINCE", is_whole=True),
    Column("leaving", "LEAVING"),
)
_DAYS = (
    Column("day", "DAY", is_whole=True),
    Column("requests", "REQUESTS"),
    Column("remaining", "REMAINING"),
)


@on_place
def enroll(
    visit: Visit,
    org: Org,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="The usage plan.", show_default="the one that it is in, or else the stack's own"
        ),
    ] = None,
) -> None:
    """Count and limit an org's requests by themselves, in a usage plan. May be repeated, and moves it to another plan.

    Examples:
        flowstrand usage enroll acme --stack flowstrand
        flowstrand usage enroll acme --plan a1b2c3 --stack flowstrand
    """
    from flowstrand.operations import usage

    key = usage.enroll(visit.place, org, plan)
    visit.out.said(
        _body(key), f"{key.org} is counted by itself in the usage plan {key.plan_id}, within two minutes"
    )


@on_place
def leave(visit: Visit, org: Org) -> None:
    """Count an org together with all others again, and delete its usage key. Takes two minutes; may be repeated.

    What was counted may go with the key: ask for it before.

    Examples:
        flowstrand usage leave acme --stack flowstrand
    """
    from flowstrand.operations import usage

    key_id = usage.leave(visit.place, org, _pause)
    visit.out.said({"org": org, "keyId": key_id}, f"{org} is counted together with all others")


@on_place
def listed(visit: Visit) -> None:
    """List the orgs that are counted by themselves.

    Examples:
        flowstrand usage list --stack flowstrand
    """
    from flowstrand.operations import usage

    visit.out.many("orgs", [_body(key) for key in usage.every(visit.place)], _ORGS)


@on_place
def show(
    visit: Visit,
    org: Annotated[
        str | None, typer.Argument(help="Whose requests.", show_default="those of all that have no key, together")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The first day.", show_default="a month before")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day.", show_default="today")
    ] = None,
    plan: Annotated[
        str | None, typer.Option(metavar="ID", help="A plan that it was in.", show_default="the one it is in")
    ] = None,
) -> None:
    """Say how many requests an org has made, day by day, in UTC. API Gateway's count; 90 days at most.

    Examples:
        flowstrand usage show acme --since 2026-11-01 --until 2026-11-30 --stack flowstrand
    """
    from datetime import timedelta

    from flowstrand.operations import usage

    last = _day(visit.place.services.clock.now_ms(), until, "--until")
    first = last - timedelta(days=30) if since is None else _written(since, "--since")
    if org is not None:
        days = usage.of_org(visit.place, org, plan, first, last)
    elif plan is None:
        days = usage.shared(visit.place, first, last)
    else:
        raise typer.BadParameter("name the org that was in it", param_hint="--plan")
    visit.out.many("days", [_day_body(day) for day in days], _DAYS)


def _pause(seconds: float) -> None:
    typer.echo(
        f"waiting for {seconds:.0f} s, until nobody remembers the key; break it off, and repeat it", err=True
    )
    time.sleep(seconds)


def _day(now_ms: int, text: str | None, option: str) -> date:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(now_ms / 1_000, UTC).date() if text is None else _written(text, option)


def _written(text: str, option: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written as 2026-11-28", param_hint=option) from None


def _body(key: UsageKey) -> JsonObject:
    return {
        "org": key.org,
        "planId": key.plan_id,
        "keyId": key.key_id,
        "createdAt": rfc3339(key.created_at_ms),
        "leaving": key.left_at_ms is not None,
    }


def _day_body(day: DayOfUse) -> JsonObject:
    return {"day": day.day.isoformat(), "requests": day.requests, "remaining": day.remaining}
