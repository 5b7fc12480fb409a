"""Schedules under test: the part of `Environment` that starts executions at their time, in virtual time."""

from __future__ import annotations

from datetime import datetime

from flowstrand.client import ScheduleRun
from flowstrand.client.encoding import input_of
from flowstrand.client.schedule_calls import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule import policy
from flowstrand.engine.schedule.timing import Timing
from flowstrand.engine.schema import epoch_ms, rfc3339
from flowstrand.service import schedules
from flowstrand.service.executions import StartRequest
from flowstrand.service.schedules import ScheduleRequest
from flowstrand.testing.base import Base
from flowstrand.testing.definitions import kind_of
from flowstrand.testing.world import ORG


class Scheduling(Base):
    """`schedule` and `schedule_runs`."""

    async def schedule(
        self,
        schedule_id: str,
        workflow: object,
        input: object = None,
        *,
        cron: str | None = None,
        at: datetime | None = None,
        time_zone: str = "UTC",
        overlap_policy: OverlapPolicy = "SKIP",
        missed_run_policy: MissedRunPolicy = "RUN_ONCE",
    ) -> None:
        """Create a schedule; its runs start as time passes.

        Raises:
            InvalidInput: it would never be due, or `at` has no time zone.
            NotSerializable: the input does not fit the workflow.
            NotFound: the environment has no such workflow.
            Conflict: there is a schedule of this id.
        """
        value = self._definitions.payloads.to_wire(input_of(workflow, input))
        request = ScheduleRequest(
            schedule_id=schedule_id,
            timing=Timing(at_ms=None if at is None else epoch_ms(at.isoformat()), cron=cron, time_zone=time_zone),
            overlap_policy=policy.OverlapPolicy(overlap_policy),
            missed_run_policy=policy.MissedRunPolicy(missed_run_policy),
            start=StartRequest(kind=kind_of(workflow), input=value),
        )
        await self._stage.settle()
        self._stage.act(lambda world: schedules.create(world.services, ORG, request))
        await self._stage.settle()

    async def schedule_runs(self, schedule_id: str) -> list[ScheduleRun]:
        """What became of the newest fifty runs of a schedule, the oldest of them first.

        Raises:
            NotFound: there is no such schedule.
        """
        await self._stage.settle()
        page = schedules.runs(self._stage.world.services, ORG, schedule_id)
        return [
            ScheduleRun(
                outcome=past.outcome.value,
                execution_id=past.workflow_execution_id,
                scheduled_at=rfc3339(past.run.at_ms),
                is_triggered=past.run.is_triggered,
                reason=past.reason,
            )
            for past in reversed(page.runs)
        ]
