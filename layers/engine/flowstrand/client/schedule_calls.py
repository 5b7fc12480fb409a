"""Requests of the routes of schedules, shared by the asynchronous and the synchronous client."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, TypedDict, Unpack

from flowstrand.client.call import Call, start
from flowstrand.client.connection import Connection
from flowstrand.client.pages import Pages
from flowstrand.client.schedule import Schedule, ScheduleRun
from flowstrand.client.start_options import StartOptions
from flowstrand.errors import InvalidDefinition
from flowstrand.jsonvalue import JsonObject, JsonValue

OverlapPolicy: TypeAlias = Literal["ALLOW", "SKIP", "BUFFER_ONE", "CANCEL_OTHER", "TERMINATE_OTHER"]
MissedRunPolicy: TypeAlias = Literal["SKIP", "RUN_ONCE", "RUN_ALL"]


class ScheduleOptions(TypedDict, total=False):
    """When runs are due, and what becomes of those that meet others or are late.

    Attributes:
        cron: five fields, in `time_zone`.
        at: instead of `cron`, the one moment: aware, or RFC 3339.
        time_zone: an IANA name; UTC by default.
        overlap_policy: for a run that is due while the one before it is open; SKIP by default.
        missed_run_policy: for runs that are late by more than the grace; RUN_ONCE by default.
        grace_seconds: 300 by default, 60 to 3,600.
        catch_up_limit: how many missed runs are made up for, at most; 10 by default, 1 to 100.
        start: as for `Client.start`.
    """

    cron: str
    at: datetime | str
    time_zone: str
    overlap_policy: OverlapPolicy
    missed_run_policy: MissedRunPolicy
    grace_seconds: float
    catch_up_limit: int
    start: StartOptions


_FIELDS = {
    "cron": "cron",
    "time_zone": "timeZone",
    "overlap_policy": "overlapPolicy",
    "missed_run_policy": "missedRunPolicy",
    "grace_seconds": "graceSeconds",
    "catch_up_limit": "catchUpLimit",
}


def create(
    to: Connection,
    schedule_id: str | None,
    kind: str,
    input: JsonValue,
    **options: Unpack[ScheduleOptions],
) -> Call:
    """Create a schedule. Not repeatable: the second would find the id taken.

    Raises:
        TypeError: there is no such option.
        InvalidDefinition: `at` has no time zone.
    """
    body = _body(to, kind, input, options)
    if schedule_id is not None:
        body["scheduleId"] = schedule_id
    return Call(method="POST", path=to.path("schedules"), json=body, repeatable=False)


def update(
    to: Connection,
    schedule_id: str,
    kind: str,
    input: JsonValue,
    revision: int | None,
    **options: Unpack[ScheduleOptions],
) -> Call:
    """Change what a schedule does. Raises what `create` does."""
    body = _body(to, kind, input, options)
    if revision is not None:
        body["expectedRevision"] = revision
    return Call(method="PUT", path=to.path("schedules", schedule_id), json=body, repeatable=True)


def _body(to: Connection, kind: str, input: JsonValue, options: ScheduleOptions) -> JsonObject:
    if unknown := options.keys() - ScheduleOptions.__annotations__.keys():
        raise TypeError(f"there is no option {', '.join(sorted(unknown))}")
    body: JsonObject = dict(start(to, kind, input, options.get("start", {})).json or {})
    given: dict[str, JsonValue] = {name: value for name, value in options.items() if name in _FIELDS}  # type: ignore[misc]  # the values of a TypedDict are objects
    body |= {_FIELDS[name]: value for name, value in given.items()}
    if (at := options.get("at")) is not None:
        body["at"] = at if isinstance(at, str) else _moment(at)
    return body


def get(to: Connection, schedule_id: str) -> Call:
    """A schedule as it is now."""
    return Call(method="GET", path=to.path("schedules", schedule_id), repeatable=True)


def listed(to: Connection) -> Pages[Schedule]:
    """Every schedule."""
    return Pages(path=to.path("schedules"), items="schedules", read=Schedule.of)


def runs(to: Connection, schedule_id: str) -> Pages[ScheduleRun]:
    """A schedule's runs."""
    return Pages(path=to.path("schedules", schedule_id, "runs"), items="runs", read=ScheduleRun.of)


def change(to: Connection, schedule_id: str, verb: Literal["pause", "resume"]) -> Call:
    """Pause or resume."""
    return Call(method="POST", path=to.path("schedules", schedule_id, verb), repeatable=True)


def trigger(to: Connection, schedule_id: str, request_id: str) -> Call:
    """Have a run now."""
    body: JsonObject = {"requestId": request_id}
    return Call(
        method="POST",
        path=to.path("schedules", schedule_id, "trigger"),
        json=body,
        repeatable=True,
        starts=f"schedule {schedule_id}",
    )


def delete(to: Connection, schedule_id: str) -> Call:
    """Delete. Not repeatable: the second would find nothing."""
    return Call(method="DELETE", path=to.path("schedules", schedule_id), repeatable=False)


def _moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise InvalidDefinition("the moment of a schedule needs a time zone")
    return at.isoformat()
