"""Request bodies of the routes of schedules."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from flowstrand.engine.names import SCHEDULE_PATTERN
from flowstrand.engine.schedule.policy import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule.timing import Timing
from flowstrand.engine.schema import epoch_ms
from flowstrand.http.body import RequestBody
from flowstrand.http.request_fields import Kind, Metadata, Name, RequestId, TimeoutSeconds, Version
from flowstrand.jsonvalue import JsonValue
from flowstrand.service.executions import StartRequest
from flowstrand.service.schedules import DEFAULT_CATCH_UP_LIMIT, DEFAULT_GRACE_MS, ScheduleRequest

MAX_GRACE_S = 3_600
MAX_CATCH_UP = 100


def _is_moment(text: str) -> str:
    epoch_ms(text)
    return text


ScheduleId = Annotated[str, StringConstraints(pattern=SCHEDULE_PATTERN)]
Moment = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_is_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 64}),
]
Overlap = Literal["ALLOW", "SKIP", "BUFFER_ONE", "CANCEL_OTHER", "TERMINATE_OTHER"]
MissedRuns = Literal["SKIP", "RUN_ONCE", "RUN_ALL"]


_TIMINGS: list[JsonValue] = [
    {"properties": {name: {"type": "string"}}, "required": [name]} for name in ("at", "cron")
]
"""One of the two; the other one may be null."""


class ScheduleBody(RequestBody):
    """Either `at` or `cron`; what to start is said as for `POST /workflow-executions`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _TIMINGS})

    at: Moment | None = None
    cron: Annotated[str, StringConstraints(max_length=256)] | None = None
    time_zone: Annotated[str, StringConstraints(max_length=64)] = "UTC"
    overlap_policy: Overlap = "SKIP"
    missed_run_policy: MissedRuns = "RUN_ONCE"
    grace_seconds: Annotated[float, Field(ge=60, le=MAX_GRACE_S)] = DEFAULT_GRACE_MS / 1_000
    catch_up_limit: Annotated[int, Field(ge=1, le=MAX_CATCH_UP)] = DEFAULT_CATCH_UP_LIMIT
    kind: Kind
    input: Any = None
    queue: Name = "default"
    version: Version | None = None
    metadata: Metadata | None = None
    timeout_seconds: TimeoutSeconds | None = None

    def to_request(self, schedule_id: str | None = None) -> ScheduleRequest:
        """For the use case."""
        at_ms = None if self.at is None else epoch_ms(self.at)
        return ScheduleRequest(
            schedule_id=schedule_id,
            timing=Timing(at_ms=at_ms, cron=self.cron, time_zone=self.time_zone),
            overlap_policy=OverlapPolicy(self.overlap_policy),
            missed_run_policy=MissedRunPolicy(self.missed_run_policy),
            grace_ms=round(self.grace_seconds * 1_000),
            catch_up_limit=self.catch_up_limit,
            start=StartRequest(
                kind=self.kind,
                input=self.input,
                queue=self.queue,
                version=self.version,
                metadata=self.metadata,
                timeout_ms=None if self.timeout_seconds is None else math.ceil(self.timeout_seconds * 1_000),
            ),
        )


class CreateSchedule(ScheduleBody):
    """`POST /schedules`."""

    schedule_id: ScheduleId | None = None


class UpdateSchedule(ScheduleBody):
    """`PUT /schedules/{id}`: all that it is to be; what is left out is as for a new one, not as it was."""

    expected_revision: Annotated[int, Field(ge=1)] | None = None


class TriggerSchedule(RequestBody):
    """`POST /schedules/{id}/trigger`."""

    request_id: RequestId | None = None
