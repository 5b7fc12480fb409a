"""What workflow code asks for. Each command has a position: dense, per execution, in the order the code asked."""

from __future__ import annotations

from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import ParentClosePolicy, RetryPolicy
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
    """Wake me then. `is_timeout` where the timer limits another wait."""

    position: int
    fire_at_ms: int
    is_timeout: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePromise:
    """Let somebody outside settle this, by its id or its key."""

    position: int
    name: str
    key: str | None = None
    timeout_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Run this workflow as a child.

    Attributes:
        child_id: the id it is to have; None for one made of the parent's id and the position.
        timeout_ms: how long it may take from its own start; None for ever.
    """

    position: int
    kind: str
    name: str
    input: JsonValue
    queue: str
    child_id: str | None = None
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.CANCEL
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelChild:
    """Ask the child at `target` to cancel."""

    position: int
    target: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetState:
    """Let clients see this value."""

    position: int
    key: str
    value: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearState:
    """The key has no value any more."""

    position: int
    key: str


Request: TypeAlias = ScheduleTask | StartTimer | CreatePromise | StartChild
"""Commands that a future answers."""
Cancel: TypeAlias = CancelTask | CancelTimer | CancelChild
Command: TypeAlias = Request | Cancel | SetState | ClearState


def describe(command: Command) -> str:
    """One line for people, as used in determinism diffs."""
    match command:
        case ScheduleTask(kind=kind):
            return f"schedule task {kind!r}"
        case StartTimer():
            return "start timer"
        case CreatePromise(name=name):
            return f"create promise {name!r}"
        case StartChild(kind=kind, name=name):
            return f"start child workflow {kind!r}" + (f" named {name!r}" if name != kind else "")
        case CancelTask(target=target):
            return f"cancel task at position {target}"
        case CancelTimer(target=target):
            return f"cancel timer at position {target}"
        case CancelChild(target=target):
            return f"cancel child workflow at position {target}"
        case SetState(key=key):
            return f"set state {key!r}"
        case ClearState(key=key):
            return f"clear state {key!r}"
