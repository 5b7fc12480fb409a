"""`Schedule`, and what came of its runs, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A snapshot. Times are RFC 3339.

    Attributes:
        status: ACTIVE, PAUSED or COMPLETED.
        cron, at: when its runs are due; one of the two.
        next_run_at: None for a schedule that is COMPLETED.
        revision: how often it has been given what it does, from 1.
        last_execution_id: of the run that it started last.
        waiting_execution_id: of the run that starts when that one has ended.
        body: everything that the API says.
    """

    id: str
    status: str
    kind: str
    time_zone: str
    overlap_policy: str
    missed_run_policy: str
    cron: str | None
    at: str | None
    next_run_at: str | None
    revision: int
    last_execution_id: str | None
    waiting_execution_id: str | None
    body: JsonObject

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> Schedule:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            id=said["scheduleId"],
            status=said["status"],
            kind=said["kind"],
            time_zone=said["timeZone"],
            overlap_policy=said["overlapPolicy"],
            missed_run_policy=said["missedRunPolicy"],
            cron=said.get("cron"),
            at=said.get("at"),
            next_run_at=said.get("nextRunAt"),
            revision=said.get("revision", 1),
            last_execution_id=(said.get("lastRun") or {}).get("workflowExecutionId"),
            waiting_execution_id=(said.get("waitingRun") or {}).get("workflowExecutionId"),
            body=dict(body),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRun:
    """What became of a run.

    Attributes:
        scheduled_at: the moment that it was for, RFC 3339.
        outcome: STARTED, SKIPPED, MISSED or FAILED; WAITING for one that was triggered and has to wait.
        execution_id: of the run; None for one that did not start.
        is_triggered: somebody asked for it.
        reason: why it failed to start.
        body: everything that the API says.
    """

    outcome: str
    execution_id: str | None
    scheduled_at: str | None = None
    is_triggered: bool = False
    reason: str | None = None
    body: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> ScheduleRun:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            outcome=said["outcome"],
            execution_id=said.get("workflowExecutionId"),
            scheduled_at=said.get("scheduledAt"),
            is_triggered=said.get("triggered", False),
            reason=said.get("reason"),
            body=dict(body),
        )
