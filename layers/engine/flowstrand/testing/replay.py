"""`replay_history`: whether code as it is now would go on with an execution as it was recorded.

The engine compares what the log records with what the code asks for, as far as it must to run safely. Here the question is
asked of every turn that was closed: standing where that turn stood, with the same events delivered, does the code ask
for exactly what the turn recorded? So it names the step that was added, where the engine would meet only its consequences,
and finds what a running execution would meet later, or never: a command added to the last turn, another end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import (
    Event,
    OperationCompleted,
    OperationFailed,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowSuspended,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.replay.commands import describe
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.matching import violation
from flowstrand.engine.replay.outcome import Cancelled, Outcome, Raised, Waiting
from flowstrand.engine.replay.program import Program
from flowstrand.engine.schema import payload_fields
from flowstrand.errors import ConfigurationError, DeterminismViolation
from flowstrand.sdk.app import App, Workflow
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.sdk.workflow import WorkflowDefinition
from flowstrand.testing.recorded import History, events_of

Code: TypeAlias = App | Workflow | type | str | Iterable[Workflow | type]
"""An app, how `--app` would name it, a workflow, or several."""
Closing: TypeAlias = WorkflowSuspended | WorkflowCompleted | WorkflowFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A history that the code agrees with.

    Attributes:
        kind: of the workflow.
        events: how many there are.
        turns: how many of its turns were compared.
    """

    kind: str
    events: int
    turns: int


def replay_history(history: History, app_or_workflows: Code) -> Replayed:
    """Replay a recorded execution on the code as it is now. No task and no `ctx.run` function is executed.

    Args:
        history: what the history route, `flowstrand events --json` or `Environment.history` gave, or a file of it. It
            may be of an execution that is still open.
        app_or_workflows: where the workflow is found by its kind.

    Raises:
        DeterminismViolation: the code differs; the message says where, what was recorded, and what the code asks for.
        InvalidInput: `history` is not one (`INVALID_HISTORY`).
        ConfigurationError: there is no such workflow.
    """
    return replay_events(events_of(history), app_or_workflows)


def replay_events(recorded: Sequence[Event], app_or_workflows: Code) -> Replayed:
    """As `replay_history`, of events that have been read."""
    app = _app(app_or_workflows)
    events = [_decoded(event, app.payloads) for event in recorded]
    program = _program(events[0], app)
    return Replayed(kind=program.kind, events=len(events), turns=compare_turns(events, program))


def compare_turns(events: Sequence[Event], program: Program) -> int:
    """Compare every turn of a log with what `program` asks for; returns how many there were.

    Raises:
        DeterminismViolation: they differ.
    """
    return _Replay(events, program).run()


class _Replay:
    """One pass over a history.

    Code depends on nothing but what was delivered to it (law 5): where this pass has delivered up to a turn's horizon, a
    replay from the first event would stand at the same place.
    """

    def __init__(self, events: Sequence[Event], program: Program) -> None:
        self._events = events
        self._driver = Driver(program)
        self._driver.foresee(events)
        self._operations = {
            data.index: event.sequence
            for event in events
            if isinstance(data := event.data, OperationCompleted | OperationFailed)
        }

    def run(self) -> int:
        """How many turns were compared. Raises `DeterminismViolation`."""
        closings = [(event.sequence, event.data) for event in self._events if isinstance(event.data, Closing)]
        try:
            for sequence, closing in closings:
                self._deliver(closing.horizon)
                self._compare_functions(sequence)
                self._compare_outcome(sequence, closing)
                self._deliver(sequence)
                self._compare_commands(sequence, closing)
            self._deliver(len(self._events))
        finally:
            self._driver.drop()
        return len(closings)

    def _deliver(self, up_to: int) -> None:
        for event in self._events[self._driver.delivered_to : up_to]:
            self._driver.deliver(event, replaying=True)
        found = self._outcome()
        if isinstance(found, Raised) and found.failure_type == FailureType.DETERMINISM_VIOLATION:
            raise DeterminismViolation(found.error.message)

    def _outcome(self) -> Outcome | None:
        """How the code stands; None before it begins, and while it waits for a function's result that is yet to come."""
        if not self._driver.delivered_to or self._driver.pending_operations():
            return None
        return self._driver.outcome()

    def _compare_functions(self, sequence: int) -> None:
        """A turn does not close while a function that it asked for is unrecorded."""
        for operation in self._driver.pending_operations():
            if self._operations.get(operation.index, sequence) >= sequence:
                recorded = "nothing: the turn that ended here ran no such function"
                raise violation(f"operation {operation.index}", sequence, recorded, f"run {operation.name!r}")

    def _compare_outcome(self, sequence: int, closing: Closing) -> None:
        outcome = self._outcome()
        if outcome is None or not _comes_from_code(closing):
            return
        recorded, asked = _recorded_text(closing), _text(outcome)
        if recorded.split(":")[0] != asked.split(":")[0]:
            raise violation("the end of a turn", sequence, recorded, asked)
        if isinstance(closing, WorkflowSuspended) and self._is_newest(sequence):
            self._compare_waits(sequence, closing, outcome)

    def _compare_waits(self, sequence: int, closing: WorkflowSuspended, outcome: Outcome) -> None:
        """Of an open execution, what it waits for decides whether it ever goes on."""
        if isinstance(outcome, Waiting) and outcome.groups != closing.waits:
            recorded, asked = (
                f"waits for any of {_groups(closing.waits)}",
                f"waits for any of {_groups(outcome.groups)}",
            )
            raise violation("the newest wait", sequence, recorded, asked)

    def _compare_commands(self, sequence: int, closing: Closing) -> None:
        """Whatever the code had asked for at the turn's horizon is recorded where the turn closed."""
        if not _comes_from_code(closing):
            return
        for command in self._driver.issued_by(closing.horizon):
            recorded = "nothing: the turn that ended here asked for no such command"
            raise violation(f"position {command.position}", sequence, recorded, describe(command))

    def _is_newest(self, sequence: int) -> bool:
        return not any(isinstance(event.data, Closing) for event in self._events[sequence:])


def _comes_from_code(closing: Closing) -> bool:
    """Whether it ended as its code did, rather than by a limit, a timeout or a violation."""
    return not isinstance(closing, WorkflowFailed) or closing.failure_type == FailureType.ERROR


def _recorded_text(closing: Closing) -> str:
    match closing:
        case WorkflowSuspended():
            return "the workflow waits"
        case WorkflowCompleted():
            return "the workflow completes"
        case WorkflowFailed(error=error):
            return f"the workflow fails: {error.type}: {error.message}"


def _text(outcome: Outcome) -> str:
    match outcome:
        case Waiting(suspend_type=suspend_type):
            return f"the workflow waits: for a {suspend_type.value}"
        case Cancelled():
            return "the workflow is cancelled"
        case Raised(error=error):
            return f"the workflow fails: {error.type}: {error.message}"
        case _:
            return "the workflow completes"


def _groups(groups: Iterable[Any]) -> str:
    return " | ".join(str(sorted(group.positions())) for group in groups)


def _decoded(event: Event, payloads: PayloadCodecs) -> Event:
    """`event` as it is delivered to code whose app encodes values."""
    changed: dict[str, Any] = {
        attribute: payloads.from_wire(getattr(event.data, attribute))
        for attribute, _ in payload_fields(type(event.data))
    }
    return replace(event, data=replace(event.data, **changed)) if changed else event


def _program(first: Event, app: App) -> Program:
    if not isinstance(first.data, WorkflowStarted):
        raise ConfigurationError(f"only workflows are replayed, and this history begins with {first.type}")
    program = app.program(first.data.kind)
    if program is None:
        known = ", ".join(app.kinds()) or "none"
        raise ConfigurationError(f"the code has no workflow {first.data.kind!r}; it has: {known}")
    return program


def _app(code: Code) -> App:
    match code:
        case App():
            return code
        case str():
            return App.load(code)
        case WorkflowDefinition() | type():
            return App(workflows=[code])
        case _:
            return App(workflows=code)
