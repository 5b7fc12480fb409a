"""What the queues carry, and its JSON."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TypeAlias, assert_never

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import TASK, ExecutionId, OrgId, is_standalone_task, operation_id
from flowstrand.errors import InvalidInput
from flowstrand.log.port import LogKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Look at this execution. Carries no truth, only where to look from.

    Attributes:
        sequence: of the commit that caused it; effects of commits from there on are dispatched again.
    """

    org: OrgId
    execution_id: ExecutionId
    sequence: int

    @property
    def key(self) -> LogKey:
        """The log it is about."""
        return LogKey(self.org, self.execution_id)


class DueKind(StrEnum):
    """What has come due."""

    TIMER = "timer"
    LEASE = "lease"
    DEADLINE = "deadline"
    ATTEMPT = "attempt"
    PROMISE = "promise"
    WORKFLOW = "workflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The moment of one thing has come: settle that one thing if it is still open.

    Attributes:
        position: of the timer, task or promise; 0 for the execution's own timeout.
        attempt: of the task whose lease ends or which may be claimed; 0 for everything else.
        rearmed_for_ms: the moment that it was sent again for, because the thing was not due when it came; 0 if it is the first.
    """

    org: OrgId
    execution_id: ExecutionId
    kind: DueKind
    position: int
    attempt: int = 0
    rearmed_for_ms: int = 0

    @property
    def key(self) -> LogKey:
        """The log it is about."""
        return LogKey(self.org, self.execution_id)

    @property
    def name(self) -> str:
        """What is due, by a name of its own; with its moment, what a scheduler may use to recognise a repetition."""
        return f"{self.org}.{self.execution_id}.{self.kind}.{self.position}.{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDue:
    """Look at this schedule: a run may be due, or the one before it has ended. Carries no truth.

    Attributes:
        uid: tells the schedule from others that had its id before.
        for_ms: the moment that a timer sent it for; 0 where a timer is to be set in any case, in place of one that may be lost.
    """

    org: OrgId
    schedule_id: str
    uid: str
    for_ms: int = 0

    @property
    def name(self) -> str:
        """As `Due.name`."""
        return f"{self.org}.{self.schedule_id}.schedule.{self.uid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """An attempt of a task may be claimed. Where a queue knows priorities, higher ones come first.

    Attributes:
        kind: the task's, so that it can be told who will run it without a look at the log; "" where the sender did not say.
    """

    org: OrgId
    execution_id: ExecutionId
    position: int
    attempt: int
    priority: int = 0
    kind: str = ""

    @property
    def key(self) -> LogKey:
        """The log that decides whether it still may."""
        return LogKey(self.org, self.execution_id)


Timed: TypeAlias = Due | ScheduleDue
"""What timers send."""

ControlMessage: TypeAlias = Wake | Timed
"""What the resumer receives."""


def ids_of(message: ControlMessage | TaskMessage) -> dict[str, str | int]:
    """What the message is about, as logs name it."""
    match message:
        case Wake():
            return {"org": message.org, "executionId": message.execution_id, "wakeSequence": message.sequence}
        case ScheduleDue():
            return {"org": message.org, "scheduleId": message.schedule_id}
        case Due() | TaskMessage():
            ids: dict[str, str | int] = {"org": message.org, "executionId": message.execution_id}
            if message.attempt:
                task_id = (
                    message.execution_id
                    if is_standalone_task(message.execution_id)
                    else operation_id(message.execution_id, TASK, message.position)
                )
                ids |= {"taskId": task_id, "attempt": message.attempt}
            return ids
        case _:
            assert_never(message)


def dump(message: ControlMessage | TaskMessage) -> str:
    """A message body."""
    body: dict[str, str | int] = {"org": message.org}
    if not isinstance(message, ScheduleDue):
        body["executionId"] = message.execution_id
    match message:
        case Wake():
            body |= {"type": "wake", "sequence": message.sequence}
        case Due():
            body |= {"type": "due", "kind": message.kind.value}
            body |= {"position": message.position, "attempt": message.attempt}
            body |= {"rearmedFor": message.rearmed_for_ms} if message.rearmed_for_ms else {}
        case ScheduleDue():
            body |= {"type": "schedule", "scheduleId": message.schedule_id, "uid": message.uid}
            body |= {"for": message.for_ms} if message.for_ms else {}
        case TaskMessage():
            body |= {"type": "task", "position": message.position, "attempt": message.attempt}
            body |= {"priority": message.priority} if message.priority else {}
            body |= {"kind": message.kind} if message.kind else {}
    return json.dumps(body, separators=(",", ":"))


def load(text: str) -> ControlMessage | TaskMessage:
    """The inverse of `dump`.

    Raises:
        InvalidInput: not a message of ours.
    """
    try:
        body = json.loads(text)
        org = OrgId(body["org"])
        if body["type"] == "schedule":
            return ScheduleDue(
                org=org,
                schedule_id=str(body["scheduleId"]),
                uid=str(body["uid"]),
                for_ms=int(body.get("for", 0)),
            )
        execution = ExecutionId(body["executionId"])
        match body["type"]:
            case "wake":
                return Wake(org=org, execution_id=execution, sequence=int(body["sequence"]))
            case "due":
                return Due(
                    org=org,
                    execution_id=execution,
                    kind=DueKind(body["kind"]),
                    position=int(body["position"]),
                    attempt=int(body["attempt"]),
                    rearmed_for_ms=int(body.get("rearmedFor", 0)),
                )
            case "task":
                position, attempt = int(body["position"]), int(body["attempt"])
                return TaskMessage(
                    org=org,
                    execution_id=execution,
                    position=position,
                    attempt=attempt,
                    priority=int(body.get("priority", 0)),
                    kind=str(body.get("kind", "")),
                )
            case other:
                raise ValueError(f"unknown message type {other!r}")
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"not a queue message: {error}", code="INVALID_MESSAGE") from error
