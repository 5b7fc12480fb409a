"""Response bodies of the list of executions."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.events.vocabulary import SuspendType, WorkflowStatus
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schema import rfc3339
from flowstrand.http.listing_query import cursor_text
from flowstrand.http.response_body import Links, Moment, ResponseBody
from flowstrand.service.listing import ListingPage
from flowstrand.service.listing_rows import Listed


class ExecutionListed(ResponseBody):
    """An execution as of `current_sequence`, which may lag behind its log.

    `suspend_type` is there while it is WAITING, `closed_at` once it has ended.
    """

    workflow_execution_id: str
    kind: str
    status: WorkflowStatus
    created_at: Moment
    updated_at: Moment
    current_sequence: int
    queue: str
    links: Links
    closed_at: Moment | None = None
    version: str | None = None
    metadata: dict[str, Any] | None = None
    parent_workflow_execution_id: str | None = None
    suspend_type: SuspendType | None = None
    failure_type: str | None = None
    continued_as: str | None = None
    retried_from: str | None = None

    @classmethod
    def of(cls, org: OrgId, listed: Listed) -> ExecutionListed:
        """What `listed` says."""
        optional = {
            "closed_at": None if listed.closed_at_ms is None else rfc3339(listed.closed_at_ms),
            "version": listed.version,
            "metadata": listed.metadata,
            "parent_workflow_execution_id": listed.parent_workflow_execution_id,
            "suspend_type": listed.suspend_type if listed.status is WorkflowStatus.WAITING else None,
            "failure_type": listed.failure_type,
            "continued_as": listed.continued_as,
            "retried_from": listed.retried_from,
        }
        given: dict[str, Any] = {name: value for name, value in optional.items() if value is not None}
        return cls(
            workflow_execution_id=listed.workflow_execution_id,
            kind=listed.kind,
            status=listed.status,
            created_at=rfc3339(listed.created_at_ms),
            updated_at=rfc3339(listed.updated_at_ms),
            current_sequence=listed.current_sequence,
            queue=listed.queue,
            links=Links.of(org, listed.workflow_execution_id),
            **given,
        )


class ExecutionsFound(ResponseBody):
    """A page of executions, the newest first. `next_cursor` is there if there may be more."""

    executions: list[ExecutionListed]
    next_cursor: str | None = None

    @classmethod
    def of(cls, org: OrgId, page: ListingPage) -> ExecutionsFound:
        """What `page` holds."""
        executions = [ExecutionListed.of(org, listed) for listed in page.executions]
        if page.next_after is None:
            return cls(executions=executions)
        return cls(executions=executions, next_cursor=cursor_text(page.next_after))
