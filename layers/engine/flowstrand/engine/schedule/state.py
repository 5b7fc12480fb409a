"""A schedule as it stands between two looks at it."""

from __future__ import annotations

import re
from enum import StrEnum

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.schedule.policy import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule.timing import Timing
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.trace_context import TraceContext

_UID = re.compile("[0-9a-f]{12,64}")


class ScheduleStatus(StrEnum):
    """Whether a schedule starts anything by itself."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    """Its last moment has passed."""
    DELETED = "DELETED"
    """Nobody sees it any more; the store will remove it."""


class Outcome(StrEnum):
    """What became of a run."""

    STARTED = "STARTED"
    SKIPPED = "SKIPPED"
    """The one before it was open, or a newer one took its place."""
    MISSED = "MISSED"
    """Its moment had long passed, and the schedule does not make up for it."""
    FAILED = "FAILED"
    """It could not be started: its workflow was unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run.

    Attributes:
        name: its own among the runs of a schedule, and always the same for the same moment.
        at_ms: the moment that it is for.
        is_triggered: somebody asked for it.
        trace: whose trace it belongs to: that of whoever asked for it.
    """

    name: str
    at_ms: EpochMs
    is_triggered: bool = False
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What is to become of a run."""

    run: Run
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An earlier run that is to end.

    Attributes:
        for_run: the name of the run that takes its place.
        is_forced: without running its code.
    """

    run: str
    for_run: str
    is_forced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """Everything that decides what a schedule does next.

    Decisions are written before any of them is carried out, and forgotten when all of them are: whoever looks in between,
    after a crash or at the same time, carries out the same ones, and their runs have the same names.

    Attributes:
        uid: of this schedule alone, even among schedules that had the same id before.
        grace_ms: how late a run may be before it counts as missed.
        catch_up_limit: how many missed runs are made up for, at most.
        revision: how often it has been given what it does, from 1.
        next_at_ms: the first moment that nothing has been decided of; None if there is none.
        armed_for_ms: the moment that a timer was last set for.
        last_run: what was started last.
        waiting: what starts when that has ended.
        decided, ending: what has been decided and may not have been carried out.
    """

    uid: str
    timing: Timing
    overlap_policy: OverlapPolicy
    missed_run_policy: MissedRunPolicy
    catch_up_limit: int
    grace_ms: int
    status: ScheduleStatus
    created_at_ms: EpochMs
    revision: int = 1
    next_at_ms: EpochMs | None = None
    armed_for_ms: EpochMs | None = None
    last_run: Run | None = None
    waiting: Run | None = None
    decided: tuple[Decided, ...] = ()
    ending: Ending | None = None

    @property
    def is_settled(self) -> bool:
        """Whether everything that was decided has been carried out."""
        return not self.decided and self.ending is None


def execution_id(schedule_id: str, uid: str, run: str) -> ExecutionId:
    """The execution of a run, by the run's name."""
    return ExecutionId(f"{schedule_id}-{uid}-{run}")


def new_uid(now_ms: int, random: bytes) -> str:
    """A schedule's `uid`, from `now_ms` and some random bytes."""
    return f"{now_ms:011x}{random.hex()}"


def made_at_ms(uid: str) -> int:
    """When a schedule was created, by its `uid`."""
    return int(uid[:11], 16)


def uid_of(execution: str, schedule_id: str) -> str | None:
    """The `uid` of the schedule that started an execution, or the one it continues; None if none of this id did."""
    uid, _, run = execution.removeprefix(f"{schedule_id}-").partition("-")
    return uid if run and execution.startswith(f"{schedule_id}-") and _UID.fullmatch(uid) else None
