"""Creating, looking at, updating, pausing, resuming, triggering and deleting schedules."""

from __future__ import annotations

from flowstrand.http.list_query import ListQuery
from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import (
    BUSY,
    OF_VALUES,
    OVER_QUOTA,
    SCHEDULE_CHANGED,
    SCHEDULE_EXISTS,
    SCHEDULE_NOT_FOUND,
    UNKNOWN_WORKFLOW_KIND,
    UNPROCESSABLE_INPUT,
)
from flowstrand.http.schedule_requests import CreateSchedule, TriggerSchedule, UpdateSchedule
from flowstrand.http.schedule_responses import (
    RunsFound,
    ScheduleDeleted,
    SchedulesFound,
    ScheduleTriggered,
    ScheduleView,
)
from flowstrand.http.trace_headers import TraceHeaders
from flowstrand.service.keys import Principal

TAG = "schedules"

OPERATIONS = (
    Operation(
        method="POST",
        path="/schedules",
        name="createSchedule",
        tag=TAG,
        summary="Start executions at a moment, or by cron",
        principal=Principal.USER,
        body=CreateSchedule,
        answers={201: Answer(meaning="The schedule that now exists.", body=ScheduleView, has_location=True)},
        refusals=(*OF_VALUES, UNKNOWN_WORKFLOW_KIND, UNPROCESSABLE_INPUT, SCHEDULE_EXISTS),
    ),
    Operation(
        method="GET",
        path="/schedules",
        name="listSchedules",
        tag=TAG,
        summary="Schedules, by id",
        principal=Principal.USER,
        query=ListQuery,
        answers={200: Answer(meaning="A page, without inputs.", body=SchedulesFound)},
    ),
    Operation(
        method="GET",
        path="/schedules/{scheduleId}",
        name="getSchedule",
        tag=TAG,
        summary="A schedule as it stands",
        principal=Principal.USER,
        answers={200: Answer(meaning="The schedule.", body=ScheduleView)},
        refusals=(SCHEDULE_NOT_FOUND,),
    ),
    Operation(
        method="PUT",
        path="/schedules/{scheduleId}",
        name="updateSchedule",
        tag=TAG,
        summary="Change what a schedule does",
        description="The body replaces all that it does. Its runs so far, the one that waits and whether it is paused stay.",
        principal=Principal.USER,
        body=UpdateSchedule,
        answers={200: Answer(meaning="The schedule as it is now.", body=ScheduleView)},
        refusals=(
            *OF_VALUES,
            SCHEDULE_NOT_FOUND,
            UNKNOWN_WORKFLOW_KIND,
            UNPROCESSABLE_INPUT,
            SCHEDULE_CHANGED,
            BUSY,
        ),
    ),
    Operation(
        method="DELETE",
        path="/schedules/{scheduleId}",
        name="deleteSchedule",
        tag=TAG,
        summary="Delete a schedule",
        description="What it has started goes on.",
        principal=Principal.USER,
        answers={200: Answer(meaning="It is gone.", body=ScheduleDeleted)},
        refusals=(SCHEDULE_NOT_FOUND, BUSY),
    ),
    Operation(
        method="POST",
        path="/schedules/{scheduleId}/pause",
        name="pauseSchedule",
        tag=TAG,
        summary="Pause a schedule",
        principal=Principal.USER,
        answers={200: Answer(meaning="It starts nothing by itself any more.", body=ScheduleView)},
        refusals=(SCHEDULE_NOT_FOUND, BUSY),
    ),
    Operation(
        method="POST",
        path="/schedules/{scheduleId}/resume",
        name="resumeSchedule",
        tag=TAG,
        summary="Resume a schedule",
        principal=Principal.USER,
        answers={200: Answer(meaning="It goes on with the first moment after now.", body=ScheduleView)},
        refusals=(SCHEDULE_NOT_FOUND, BUSY),
    ),
    Operation(
        method="POST",
        path="/schedules/{scheduleId}/trigger",
        name="triggerSchedule",
        tag=TAG,
        summary="Ask a schedule for a run now",
        description="A repeated `requestId` is answered with what became of the run.",
        principal=Principal.USER,
        body=TriggerSchedule,
        headers=TraceHeaders,
        answers={200: Answer(meaning="What became of the run.", body=ScheduleTriggered)},
        refusals=(OVER_QUOTA, SCHEDULE_NOT_FOUND, UNKNOWN_WORKFLOW_KIND, UNPROCESSABLE_INPUT, BUSY),
    ),
    Operation(
        method="GET",
        path="/schedules/{scheduleId}/runs",
        name="listScheduleRuns",
        tag=TAG,
        summary="What became of a schedule's runs, from the newest on",
        principal=Principal.USER,
        query=ListQuery,
        answers={200: Answer(meaning="A page.", body=RunsFound)},
        refusals=(SCHEDULE_NOT_FOUND,),
    ),
)
