"""`Execution`: one execution as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.errors import WorkflowCancelled, WorkflowFailed, WorkflowTimeout
from flowstrand.jsonvalue import JsonObject, JsonValue

_CLOSED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A snapshot.

    Attributes:
        status: PENDING, RUNNING, WAITING, CANCELLING, COMPLETED, FAILED or CANCELLED.
        suspend_type: what it waits for first, while it is WAITING: TASK, TIMER, PROMISE, SIGNAL or CHILD_WORKFLOW.
        current_sequence: of the newest event that the snapshot has seen.
        error: `{type, message, stack?}` of a failed execution; of a cancelled one, the reason is the message.
        failure_type: why it failed, for programs: ERROR where its code raised, TIMEOUT, POISON, ….
        continued_as: the id of the execution that goes on from this one, and has the output.
        retried_from: the id of the failed execution from whose history this one began.
        body: everything that the API says.
    """

    id: str
    kind: str
    status: str
    created_at: str
    current_sequence: int
    queue: str = "default"
    version: str | None = None
    metadata: JsonObject | None = None
    parent_id: str | None = None
    output: JsonValue = None
    error: JsonObject | None = None
    failure_type: str | None = None
    continued_as: str | None = None
    retried_from: str | None = None
    suspend_type: str | None = None
    body: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> Execution:
        """From the API's JSON."""
        metadata, error, sequence = body.get("metadata"), body.get("error"), body.get("currentSequence")
        return cls(
            id=str(body["workflowExecutionId"]),
            kind=str(body["kind"]),
            status=str(body["status"]),
            created_at=str(body.get("createdAt", "")),
            current_sequence=sequence if isinstance(sequence, int) else 0,
            queue=str(body.get("queue") or "default"),
            version=_text(body.get("version")),
            metadata=metadata if isinstance(metadata, dict) else None,
            parent_id=_text(body.get("parentWorkflowExecutionId")),
            output=body.get("output"),
            error=error if isinstance(error, dict) else None,
            failure_type=_text(body.get("failureType")),
            continued_as=_text(body.get("continuedAs")),
            retried_from=_text(body.get("retriedFrom")),
            suspend_type=_text(body.get("suspendType")),
            body=dict(body),
        )

    @property
    def is_closed(self) -> bool:
        """Whether its log has ended."""
        return self.status in _CLOSED

    def result(self) -> JsonValue:
        """The output of a completed execution.

        Raises:
            WorkflowTimeout: it was open at its timeout.
            WorkflowFailed: it failed otherwise.
            WorkflowCancelled: it was cancelled.
            ValueError: it is still open, or has continued as another.
        """
        if self.continued_as is not None:
            raise ValueError(f"{self.id} has continued as {self.continued_as}")
        if not self.is_closed:
            raise ValueError(f"{self.id} is still {self.status}")
        if self.status == "COMPLETED":
            return self.output
        error = self.error or {}
        if self.status == "CANCELLED":
            raise WorkflowCancelled(str(error.get("message") or "the execution was cancelled"))
        cls = WorkflowTimeout if self.failure_type == FailureType.TIMEOUT else WorkflowFailed
        raise cls(
            str(error.get("message") or f"the execution is {self.status}"),
            kind=self.kind,
            error_type=str(error.get("type") or "Error"),
            stack=_text(error.get("stack")),
            id=self.id,
        )


def _text(value: JsonValue) -> str | None:
    return None if value is None else str(value)
