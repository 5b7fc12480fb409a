"""Listing executions: which ones are asked for, and how the list shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from flowstrand.client.connection import Connection
from flowstrand.client.pages import Pages
from flowstrand.errors import InvalidDefinition
from flowstrand.jsonvalue import JsonObject, JsonValue


class ExecutionFilter(TypedDict, total=False):
    """Which executions are asked for: those to which all of this applies.

    Attributes:
        status: PENDING, RUNNING, WAITING, CANCELLING, COMPLETED, FAILED or CANCELLED.
        kind: of their workflow.
        metadata: what their metadata holds, among other things.
        created_after, created_before: when they began: aware, or RFC 3339.
    """

    status: str | None
    kind: str | None
    metadata: Mapping[str, str] | None
    created_after: datetime | str | None
    created_before: datetime | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExecution:
    """An execution as the list has it, which may lag a little behind its log. Times are RFC 3339.

    Attributes:
        current_sequence: of the newest event that the list knows of.
        suspend_type: what a WAITING one waits for.
        body: everything that the API says.
    """

    id: str
    kind: str
    status: str
    created_at: str
    updated_at: str
    closed_at: str | None
    current_sequence: int
    metadata: JsonObject | None
    parent_id: str | None
    suspend_type: str | None
    failure_type: str | None
    continued_as: str | None
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
            metadata=said.get("metadata"),
            parent_id=said.get("parentWorkflowExecutionId"),
            suspend_type=said.get("suspendType"),
            failure_type=said.get("failureType"),
            continued_as=said.get("continuedAs"),
            body=dict(body),
        )


def executions(to: Connection, wanted: ExecutionFilter) -> Pages[ListedExecution]:
    """The executions that are asked for, the newest first.

    Raises:
        TypeError: there is no such filter.
        InvalidDefinition: a moment has no time zone.
    """
    if unknown := wanted.keys() - ExecutionFilter.__annotations__.keys():
        raise TypeError(f"there is no filter {', '.join(sorted(unknown))}")
    given = {
        "status": wanted.get("status"),
        "kind": wanted.get("kind"),
        "createdAfter": _moment(wanted.get("created_after")),
        "createdBefore": _moment(wanted.get("created_before")),
        **{f"metadata.{key}": value for key, value in (wanted.get("metadata") or {}).items()},
    }
    params = {name: value for name, value in given.items() if value is not None}
    path = to.path("workflow-executions")
    return Pages(path=path, items="executions", read=ListedExecution.of, by="cursor", params=params)


def _moment(moment: datetime | str | None) -> str | None:
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise InvalidDefinition("a moment needs a time zone")
    return moment.isoformat()
