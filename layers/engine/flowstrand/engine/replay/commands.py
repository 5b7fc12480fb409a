"""What workflow code asks for. Each command has a position: dense, per execution, in the order the code asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from flowstrand.engine.events import RetryPolicy
from flowstrand.jsonvalue import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTerms:
    """On which terms a task is done; see `TaskCreated`."""

    timeout_ms: int | None = None
    start_to_close_ms: int | None = None
    heartbeat_timeout_ms: int | None = None
    priority: int | None = None


NO_TERMS = TaskTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTask:
    """Have a worker do this."""

    position: int
    kind: str
    input: JsonValue
    queue: str
    retry: RetryPolicy
    terms: TaskTerms = NO_TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Wake me then."""

    position: int
    fire_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Run this workflow as a child."""

    position: int
    kind: str
    name: str
    input: JsonValue
    queue: str
    timeout_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTask:
    """I no longer need the task at `target`."""

    position: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    """I no longer need the timer at `target`."""

    position: int
    target: int


Command: TypeAlias = ScheduleTask | StartTimer | StartChild | CancelTask | CancelTimer
Cancel: TypeAlias = CancelTask | CancelTimer


def describe(command: Command) -> str:
    """One line for people, as used in determinism diffs."""
    match command:
        case ScheduleTask(kind=kind):
            return f"schedule task {kind!r}"
        case StartTimer():
            return "start timer"
        case StartChild(kind=kind, name=name):
            return f"start child workflow {kind!r}" + (f" named {name!r}" if name != kind else "")
        case CancelTask(target=target):
            return f"cancel task at position {target}"
        case CancelTimer(target=target):
            return f"cancel timer at position {target}"
