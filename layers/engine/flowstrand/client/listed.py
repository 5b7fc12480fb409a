"""`ListedExecution`: one execution as the list of executions shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExecution:
    """An execution as it stood at `current_sequence`. The list lags behind the executions; `Client.get` does not.

    Attributes:
        status: PENDING, RUNNING, WAITING, CANCELLING, COMPLETED, FAILED or CANCELLED.
        created_at, updated_at, closed_at: RFC 3339; `closed_at` once it has ended.
        suspend_type: what it waits for first, while it is WAITING.
        failure_type: why it failed, for programs.
        continued_as: the id of the execution that goes on from this one.
        retried_from: the id of the failed execution from whose history this one began.
        body: everything that the API says.
    """

    id: str
    kind: str
    status: str
    created_at: str
    updated_at: str
    closed_at: str | None
    current_sequence: int
    queue: str
    version: str | None
    metadata: JsonObject | None
    parent_id: str | None
    suspend_type: str | None
    failure_type: str | None
    continued_as: str | None
    retried_from: str | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> ListedExecution:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            id=said["workflowExecutionId"],
            kind=said["kind"],
            status=said["status"],
            created_at=said["createdAt"],
            updated_at=said["updatedAt"],
            closed_at=said.get("closedAt"),
            current_sequence=said["currentSequence"],
            queue=said["queue"],
            version=said.get("version"),
            metadata=said.get("metadata"),
            parent_id=said.get("parentWorkflowExecutionId"),
            suspend_type=said.get("suspendType"),
            failure_type=said.get("failureType"),
            continued_as=said.get("continuedAs"),
            retried_from=said.get("retriedFrom"),
            body=dict(body),
        )
