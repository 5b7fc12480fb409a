"""What is to go wrong next: in the engine of one world, and in attempts of tasks. Planned by tests, used up in order."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Literal, TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import WorkflowCancelled, WorkflowCompleted, WorkflowFailed, WorkflowSuspended
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit

TurnMoment: TypeAlias = Literal["before_commit", "after_commit"]
AttemptMoment: TypeAlias = Literal["before_run", "after_run"]


class ProcessDied(BaseException):
    """The process that runs a turn ends here. Not an `Exception`: nothing in the engine may take it for a failure."""


class WorkerDied(Exception):
    """The worker that runs an attempt ends here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAttempt:
    """The attempt raises `error` instead of running the task."""

    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class LostAttempt:
    """The worker dies, and the attempt's lease runs out."""

    moment: AttemptMoment


class AttemptFaults:
    """By task kind."""

    def __init__(self) -> None:
        self._planned: defaultdict[str, deque[FailedAttempt | LostAttempt]] = defaultdict(deque)

    def plan(self, kind: str, fault: FailedAttempt | LostAttempt, times: int) -> None:
        """`fault` befalls the next `times` attempts for which nothing is planned yet."""
        self._planned[kind].extend([fault] * times)

    def take(self, kind: str) -> FailedAttempt | LostAttempt | None:
        """What befalls the attempt that begins now."""
        planned = self._planned[kind]
        return planned.popleft() if planned else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _WakeFault:
    delay_ms: int
    copies: int


class EngineFaults:
    """Of one world: turns that die, and wakes that come late or more than once."""

    def __init__(self) -> None:
        self._turns: list[tuple[str | None, TurnMoment]] = []
        self._wakes: deque[_WakeFault] = deque()

    def crash_turns(self, kind: str | None, moment: TurnMoment, times: int) -> None:
        """The next `times` turns die; of workflows of this kind, where one is given."""
        self._turns += [(kind, moment)] * times

    def disturb_wakes(self, *, delay_ms: int = 0, copies: int = 1, times: int) -> None:
        """The next `times` wakes come `delay_ms` later than they would, and so many times."""
        self._wakes.extend([_WakeFault(delay_ms=delay_ms, copies=copies)] * times)

    def next_wake(self) -> tuple[int, int]:
        """How much later the wake that is being sent comes, in milliseconds, and how often."""
        fault = self._wakes.popleft() if self._wakes else _WakeFault(delay_ms=0, copies=1)
        return fault.delay_ms, fault.copies

    def strike(self, commit: Commit, moment: TurnMoment) -> None:
        """Raise `ProcessDied` if that is planned for the turn which `commit` closes."""
        kind = _closed_by(commit) if self._turns else None
        for planned in self._turns if kind is not None else ():
            if planned[0] in (None, kind) and planned[1] == moment:
                self._turns.remove(planned)
                raise ProcessDied(f"planned: {moment} of a turn of {kind}")


def _closed_by(commit: Commit) -> str | None:
    """The kind of the workflow whose turn `commit` closes; None where it closes none."""
    match unpack_events(commit)[-1].data:
        case WorkflowSuspended() | WorkflowCompleted() | WorkflowFailed() | WorkflowCancelled() as closing:
            return closing.kind
        case _:
            return None
