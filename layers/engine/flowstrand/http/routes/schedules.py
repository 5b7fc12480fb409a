"""Creating, looking at, updating, pausing, resuming, triggering and deleting schedules."""

from __future__ import annotations

from collections.abc import Callable

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.engine.ids import OrgId
from flowstrand.engine.names import is_schedule_id
from flowstrand.errors import NotFound
from flowstrand.http.application import ORG, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.list_query import ListQuery
from flowstrand.http.query import read_query
from flowstrand.http.schedule_requests import CreateSchedule, TriggerSchedule, UpdateSchedule
from flowstrand.http.schedule_responses import (
    RunsFound,
    ScheduleDeleted,
    SchedulesFound,
    ScheduleTriggered,
    ScheduleView,
)
from flowstrand.http.trace_headers import trace_of
from flowstrand.service import schedules
from flowstrand.service.container import Services
from flowstrand.service.schedule_rows import Schedule

router = Router()


@router.post(f"{ORG}/schedules")
def create(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: the schedule that now exists."""
    call = call_of(request)
    body = read_body(request, CreateSchedule, max_bytes=call.services.settings.max_payload_bytes)
    schedule = schedules.create(call.services, call.org, body.to_request(body.schedule_id))
    location = f"/api/orgs/{call.org}/schedules/{schedule.schedule_id}"
    return json_response(201, ScheduleView.of(schedule).body(), {"Location": location})


@router.get(f"{ORG}/schedules")
def listed(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: schedules, by id: `?after=&limit=`."""
    call, query = call_of(request), read_query(request, ListQuery)
    page = schedules.listed(call.services, call.org, after=query.after, limit=query.limit)
    return json_response(200, SchedulesFound.of(page).body())


@router.get(f"{ORG}/schedules/<schedule_id>")
def get(request: Request, org: str, schedule_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the schedule as it stands."""
    return _shown(request, schedule_id, schedules.get)


@router.put(f"{ORG}/schedules/<schedule_id>")
def update(request: Request, org: str, schedule_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: it is what the body says from now on."""
    call = call_of(request)
    body = read_body(request, UpdateSchedule, max_bytes=call.services.settings.max_payload_bytes)
    updated = schedules.update(
        call.services, call.org, _known(schedule_id), body.to_request(), revision=body.expected_revision
    )
    return json_response(200, ScheduleView.of(updated).body())


@router.delete(f"{ORG}/schedules/<schedule_id>")
def delete(request: Request, org: str, schedule_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: it is gone; what it started goes on."""
    call = call_of(request)
    schedules.delete(call.services, call.org, _known(schedule_id))
    return json_response(200, ScheduleDeleted().body())


@router.post(f"{ORG}/schedules/<schedule_id>/pause")
def pause(request: Request, org: str, schedule_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: it starts nothing by itself any more."""
    return _shown(request, schedule_id, schedules.pause)


@router.post(f"{ORG}/schedules/<schedule_id>/resume")
def resume(request: Request, org: str, schedule_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: it goes on with the first moment after now."""
    return _shown(request, schedule_id, schedules.resume)


@router.post(f"{ORG}/schedules/<schedule_id>/trigger")
def trigger(request: Request, org: str, schedule_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: what became of the run that was asked for."""
    call = call_of(request)
    body = read_body(request, TriggerSchedule, max_bytes=call.services.settings.max_payload_bytes)
    triggered = schedules.trigger(
        call.services, call.org, _known(schedule_id), request_id=body.request_id, trace=trace_of(request)
    )
    return json_response(200, ScheduleTriggered.of(triggered).body())


@router.get(f"{ORG}/schedules/<schedule_id>/runs")
def runs(request: Request, org: str, schedule_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: what became of its runs, from the newest on: `?after=&limit=`."""
    call, query = call_of(request), read_query(request, ListQuery)
    page = schedules.runs(call.services, call.org, _known(schedule_id), after=query.after, limit=query.limit)
    return json_response(200, RunsFound.of(page).body())


def _shown(
    request: Request, schedule_id: str, use_case: Callable[[Services, OrgId, str], Schedule]
) -> Response[str]:
    call = call_of(request)
    schedule = use_case(call.services, call.org, _known(schedule_id))
    return json_response(200, ScheduleView.of(schedule).body())


def _known(schedule_id: str) -> str:
    if not is_schedule_id(schedule_id):
        raise NotFound("there is no such schedule", code="SCHEDULE_NOT_FOUND")
    return schedule_id
