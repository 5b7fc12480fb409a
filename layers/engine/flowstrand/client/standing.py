"""What an execution has asked for, as the API shows it: its tasks and its children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue

Stage: TypeAlias = Literal["open", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStanding:
    """A task of an execution as it stands.

    Attributes:
        status: PENDING, RUNNING, COMPLETED, FAILED or CANCELLED.
        execution_count: attempts begun.
        sequence: of its newest event.
        queue: where it waits; None once it has ended.
        progress: from 0 to 1, as its worker has told it last; None for one that does not run or has not said.
        last_heartbeat_at: when its worker was heard of last, RFC 3339.
        error: `{type, message, stack?}` of one that has failed.
        body: everything that the API says.
    """

    id: str
    kind: str
    status: str
    execution_count: int
    max_retries: int
    sequence: int
    queue: str | None
    worker_id: str | None
    progress: float | None
    last_heartbeat_at: str | None
    error: JsonObject | None
    failure_type: str | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> TaskStanding:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            id=said["taskExecutionId"],
            kind=said["kind"],
            status=said["status"],
            execution_count=said["executionCount"],
            max_retries=said["maxRetries"],
            sequence=said["sequence"],
            queue=said.get("queue"),
            worker_id=said.get("workerId"),
            progress=said.get("progress"),
            last_heartbeat_at=said.get("lastHeartbeatAt"),
            error=said.get("error"),
            failure_type=said.get("failureType"),
            body=dict(body),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStanding:
    """A child of an execution, as its parent knows it.

    Attributes:
        id: of the child's own execution.
        sequence: of the newest event about it in the parent's log.
        body: everything that the API says.
    """

    id: str
    kind: str
    name: str
    status: str
    sequence: int
    error: JsonObject | None
    failure_type: str | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> ChildStanding:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            id=said["childWorkflowId"],
            kind=said["kind"],
            name=said["name"],
            status=said["status"],
            sequence=said["sequence"],
            error=said.get("error"),
            failure_type=said.get("failureType"),
            body=dict(body),
        )
