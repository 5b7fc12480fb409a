"""`TaskExecution` and `TaskAttempt`: a task, and its attempts, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.errors import TaskCancelled, TaskFailed, TaskTimeout
from flowstrand.jsonvalue import JsonObject, JsonValue

_CLOSED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExecution:
    """A task as it stands.

    Attributes:
        status: PENDING, RUNNING, COMPLETED, FAILED or CANCELLED.
        execution_count: attempts begun.
        current_sequence: of the newest event of its log.
        workflow_execution_id: whose task it is; None for a standalone one.
        retry_at: from when the next attempt may begin, where one has failed.
        error: `{type, message, stack?}` of one that has failed, or of the last attempt where another is to come; of a
            cancelled one, the reason is the message.
        last_heartbeat: `{attempt, at, details?, progress?}`.
        body: everything that the API says.
    """

    id: str
    kind: str
    status: str
    queue: str
    created_at: str
    execution_count: int
    max_retries: int
    current_sequence: int
    workflow_execution_id: str | None
    metadata: JsonObject | None
    worker_id: str | None
    ended_at: str | None
    retry_at: str | None
    output: JsonValue
    error: JsonObject | None
    failure_type: str | None
    last_heartbeat: JsonObject | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> TaskExecution:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            id=said["taskExecutionId"],
            kind=said["kind"],
            status=said["status"],
            queue=said["queue"],
            created_at=said["createdAt"],
            execution_count=said["executionCount"],
            max_retries=said["maxRetries"],
            current_sequence=said["currentSequence"],
            workflow_execution_id=said.get("workflowExecutionId"),
            metadata=said.get("metadata"),
            worker_id=said.get("workerId"),
            ended_at=said.get("endedAt"),
            retry_at=said.get("retryAt"),
            output=said.get("output"),
            error=said.get("error"),
            failure_type=said.get("failureType"),
            last_heartbeat=said.get("lastHeartbeat"),
            body=dict(body),
        )

    @property
    def is_closed(self) -> bool:
        """Whether it has ended for good."""
        return self.status in _CLOSED

    def result(self) -> JsonValue:
        """The output of a completed task.

        Raises:
            TaskTimeout: it was open at its deadline, or its last attempt took too long or was silent for too long.
            TaskFailed: it failed otherwise.
            TaskCancelled: it was cancelled.
            ValueError: it is still open.
        """
        if not self.is_closed:
            raise ValueError(f"{self.id} is still {self.status}")
        if self.status == "COMPLETED":
            return self.output
        error: Mapping[str, Any] = self.error or {}
        failed = TaskTimeout if self.failure_type == FailureType.TIMEOUT else TaskFailed
        raise (TaskCancelled if self.status == "CANCELLED" else failed)(
            str(error.get("message") or f"the task is {self.status}"),
            kind=self.kind,
            error_type=str(error.get("type") or "Error"),
            stack=error.get("stack"),
            id=self.id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAttempt:
    """An attempt of a task.

    Attributes:
        status: RUNNING, COMPLETED, FAILED (also where another attempt follows) or CANCELLED.
        sequence: of its `TASK_STARTED`.
        error: why it failed.
        retry_at: from when another could begin; None where none was to follow.
        body: everything that the API says.
    """

    attempt: int
    status: str
    sequence: int
    started_at: str
    worker_id: str | None
    ended_at: str | None
    error: JsonObject | None
    failure_type: str | None
    retry_at: str | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> TaskAttempt:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            attempt=said["attempt"],
            status=said["status"],
            sequence=said["sequence"],
            started_at=said["startedAt"],
            worker_id=said.get("workerId"),
            ended_at=said.get("endedAt"),
            error=said.get("error"),
            failure_type=said.get("failureType"),
            retry_at=said.get("retryAt"),
            body=dict(body),
        )
