"""What a program must return, worked out from its log without the engine: the steps, read off with hindsight.

Only for programs without branches, and where nobody asked for a cancellation: there the positions of commands follow from the
steps alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

from flowstrand.engine.events import (
    ChildCompleted,
    ChildFailed,
    Event,
    OperationCompleted,
    OperationFailed,
    PromiseRejected,
    PromiseResolved,
    PromiseTimedOut,
    SignalReceived,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskStatus,
    TimerCancelled,
    TimerFired,
    WorkflowStarted,
)
from tests.model.programs import is_even
from tests.model.steps import (
    SUCCESSORS,
    Branches,
    Cancel,
    Choose,
    Continue,
    Do,
    Fail,
    Gather,
    Guard,
    Hear,
    Join,
    Later,
    Leave,
    Linger,
    Operation,
    Race,
    Select,
    Sleep,
    Step,
    Steps,
    Task,
    Work,
)
from tests.model.violation import Violation, require

Name = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Settled:
    """How the log says that something ended. `failure` is the class of what awaiting it raises."""

    sequence: int
    value: Any = None
    failure: str | None = None


class _Continued(Exception):
    """The end of the steps; its only argument is the sequences of the signals that were not taken."""


class _Raised(Exception):
    """A failure on its way through the steps; its only argument is the class's name."""


def evaluate(steps: Steps, events: list[Event]) -> Any:
    """The output, or the name of the exception that ends the program, or the signals that it hands on to its successor."""
    signals = [Settled(e.sequence, e.data.value) for e in events if isinstance(e.data, SignalReceived)]
    started = events[0].data
    assert isinstance(started, WorkflowStarted)
    successors = started.input if isinstance(started.input, int) else 0
    try:
        return _Reading(_settlements(events), signals, successors).all(steps)
    except (_Raised, _Continued) as ended:
        return ended.args[0]


def _settlements(events: list[Event]) -> dict[Name, Settled]:  # noqa: C901 - one flat case an event
    found: dict[Name, Settled] = {}
    for event in events:
        at = event.sequence
        match event.data:
            case TaskCompleted(position=position, output=value) | ChildCompleted(position=position, output=value):
                found["command", position] = Settled(at, value)
            case TaskFailed(position=position, status=TaskStatus.FAILED, failure_type=failure_type):
                failure = "TaskTimeout" if failure_type == "TIMEOUT" else "TaskFailed"
                found["command", position] = Settled(at, failure=failure)
            case TaskCancelled(position=position, command=int()):
                found["command", position] = Settled(at, failure="TaskCancelled")
            case TimerCancelled(position=position, command=int()):
                found["command", position] = Settled(at, failure="TimerCancelled")
            case TimerFired(position=position):
                found["command", position] = Settled(at)
            case PromiseResolved(position=position, value=value):
                found["command", position] = Settled(at, value)
            case PromiseRejected(position=position):
                found["command", position] = Settled(at, failure="PromiseRejected")
            case PromiseTimedOut(position=position):
                found["command", position] = Settled(at, failure="PromiseTimeout")
            case ChildFailed(position=position):
                found["command", position] = Settled(at, failure="ChildWorkflowFailed")
            case OperationCompleted(index=index, result=value):
                found["operation", index] = Settled(at, value)
            case OperationFailed(index=index):
                found["operation", index] = Settled(at, failure="OperationFailed")
            case _:
                pass
    return found


class _Reading:
    """The program's place in its own history."""

    def __init__(self, settled: dict[Name, Settled], signals: list[Settled], successors: int) -> None:
        self._settled = settled
        self._signals = signals
        self._heard = 0
        self._successors = successors
        self._position = 0
        self._index = 0
        self._out: list[Any] = []
        self._handles: list[tuple[Name, Work]] = []

    def all(self, steps: Steps) -> Any:
        for step in steps:
            self._step(step)
        return self._out

    def _step(self, step: Step) -> None:  # noqa: C901 - one flat case a step
        match step:
            case Do(work=work):
                self._out.append(self._await(self._start(work)))
            case Later(work=work):
                self._handles.append((self._start(work), work))
            case Join():
                if self._handles:
                    self._out.append(self._await(self._handles.pop(0)[0]))
            case Race():
                self._race()
            case Cancel():
                self._cancel(self._handles[-1:])
            case Gather():
                self._gather(step)
            case Select():
                self._select(step)
            case Guard():
                self._guard(step)
            case Choose(even=even, odd=odd):
                self.all(even if is_even(self._out) else odd)
            case Leave():
                self._position += 1
            case Hear():
                if self._heard == len(self._signals):
                    raise Violation("a signal was waited for and never came")
                self._out.append(self._signals[self._heard].value)
                self._heard += 1
            case Continue():
                if self._successors < SUCCESSORS:
                    raise _Continued(tuple(signal.sequence for signal in self._signals[self._heard :]))
            case Linger():
                raise AssertionError("what lingers never ends by itself")
            case Fail():
                raise _Raised("Broken")
            case Branches():
                raise AssertionError("a program with branches has no reference")
            case _:
                assert_never(step)

    def _start(self, work: Work) -> Name:
        if isinstance(work, Operation):
            self._index += 1
            return "operation", self._index
        self._position += 1
        return "command", self._position

    def _await(self, name: Name) -> Any:
        settled = self._settled.get(name)
        if settled is None:
            raise Violation(f"{name} was waited for and never settled")
        if settled.failure:
            raise _Raised(settled.failure)
        return settled.value

    def _cancel(self, handles: list[tuple[Name, Work]]) -> None:
        self._position += sum(isinstance(work, Task | Sleep) for _, work in handles)

    def _gather(self, step: Gather) -> None:
        names = [self._start(work) for work in step.works]
        found = [self._settled.get(name) for name in names]
        failed = sorted((s.sequence, s.failure) for s in found if s and s.failure)
        if failed and not step.settled:
            raise _Raised(failed[0][1])
        require(all(found), "a gather went on before all had settled")
        self._out.append([s.failure or s.value for s in found if s])

    def _select(self, step: Select) -> None:
        started = [(self._start(work), work) for work in step.works]
        ended = {name: self._settled[name].sequence for name, _ in started if name in self._settled}
        require(ended, "a select went on before anything had settled")
        winner = min(ended, key=lambda name: ended[name])
        if step.cancels_losers:
            self._cancel([handle for handle in started if handle[0] != winner])
        self._out.append([[name for name, _ in started].index(winner), self._await(winner)])

    def _race(self) -> None:
        ended = [handle for handle in self._handles if handle[0] in self._settled]
        if self._handles:
            require(ended, "a race went on before anything had settled")
            winner = min(ended, key=lambda handle: self._settled[handle[0]].sequence)
            self._handles.remove(winner)
            self._out.append(self._await(winner[0]))

    def _guard(self, step: Guard) -> None:
        try:
            self.all(step.body)
        except _Raised as raised:
            self._out.append(f"caught {raised.args[0]}")
            self.all(step.handler)
        finally:
            self.all(step.last)
