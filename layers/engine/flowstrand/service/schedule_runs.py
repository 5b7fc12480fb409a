"""What became of a schedule's runs, the newest first; kept for ninety days.

schedule-runs#{org}#{schedule id}#{uid}    {how long before the end of time}-{run}    one run
"""

from __future__ import annotations

from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Item
from flowstrand.engine.schedule.state import Outcome, Run, execution_id
from flowstrand.engine.schema import from_json, to_json
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.container import Services
from flowstrand.service.schedule_rows import Schedule

_KEPT_MS = 90 * 86_400_000
_END_MS = 10**15 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run that has been decided.

    Attributes:
        workflow_execution_id: of a run that was started.
        reason: why one could not be.
    """

    run: Run
    outcome: Outcome
    workflow_execution_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Runs from newest to oldest. `next_after` goes on behind the last, if there are more."""

    runs: tuple[PastRun, ...]
    next_after: str | None


def record(services: Services, schedule: Schedule, run: Run, outcome: Outcome, reason: str | None = None) -> None:
    """Remember what became of `run`; once or again."""
    data: JsonObject = {"run": to_json(run), "outcome": outcome.value, "reason": reason}
    expires_at_ms = services.clock.now_ms() + _KEPT_MS
    services.directory.put(_partition(schedule), _key(run), data, expires_at_ms=expires_at_ms)


def page(services: Services, schedule: Schedule, *, after: str, limit: int) -> RunPage:
    """Runs that are older than `after`."""
    items = services.directory.scan(_partition(schedule), after=after, limit=limit + 1)
    runs = tuple(_parse(schedule, item) for item in items[:limit])
    return RunPage(runs=runs, next_after=items[limit - 1].key if len(items) > limit else None)


def _parse(schedule: Schedule, item: Item) -> PastRun:
    data: Any = item.data
    run, outcome = from_json(Run, data["run"]), Outcome(data["outcome"])
    execution = execution_id(schedule.schedule_id, schedule.state.uid, run.name)
    return PastRun(
        run=run,
        outcome=outcome,
        workflow_execution_id=execution if outcome is Outcome.STARTED else None,
        reason=data["reason"],
    )


def _key(run: Run) -> str:
    return f"{_END_MS - run.at_ms:015d}-{run.name}"


def _partition(schedule: Schedule) -> str:
    return f"schedule-runs#{schedule.org}#{schedule.schedule_id}#{schedule.state.uid}"
