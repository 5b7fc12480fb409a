"""Response bodies: the contract's field names. An optional field that is absent is left out, not null."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from flowstrand.engine.events.vocabulary import SuspendType, WorkflowStatus
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schema import rfc3339, to_json
from flowstrand.jsonvalue import JsonObject
from flowstrand.service import definitions, signal_with_start
from flowstrand.service.definitions import DefinitionPage, Known
from flowstrand.service.executions import ExecutionSnapshot
from flowstrand.service.polling import Polled
from flowstrand.service.promises import Settled
from flowstrand.service.tasks import ClaimedTask
from flowstrand.service.workers import Registered

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339, UTC, with milliseconds."""


class ResponseBody(BaseModel):
    """Base of response bodies: camelCase, and only the fields that were given."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True, defer_build=True)

    def body(self) -> JsonObject:
        """As JSON."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class ErrorView(ResponseBody):
    """What went wrong in workflow or task code; `retryable` is false where trying again cannot help."""

    type: str
    message: str
    stack: str | None = None
    retryable: bool | None = None


class Links(ResponseBody):
    """Where an execution can be read, from the server's root."""

    itself: str = Field(alias="self")
    events: str
    stream: str

    @classmethod
    def of(cls, org: OrgId, execution_id: str) -> Links:
        """The paths of one execution."""
        itself = f"/api/orgs/{org}/workflow-executions/{execution_id}"
        return cls(itself=itself, events=f"{itself}/events", stream=f"{itself}/stream")


class ExecutionStarted(ResponseBody):
    """201: the execution that now exists; 200: the one that the idempotency key stands for."""

    workflow_execution_id: str
    status: WorkflowStatus
    kind: str
    created_at: Moment
    links: Links
    idempotency_key_used: bool
    idempotency_key_new: bool

    @classmethod
    def of(
        cls, org: OrgId, snapshot: ExecutionSnapshot, *, is_keyed: bool = False, is_key_new: bool = False
    ) -> ExecutionStarted:
        """A new execution, or with a key perhaps one that was there."""
        return cls(
            workflow_execution_id=snapshot.workflow_execution_id,
            status=snapshot.status,
            kind=snapshot.kind,
            created_at=rfc3339(snapshot.created_at_ms),
            links=Links.of(org, snapshot.workflow_execution_id),
            idempotency_key_used=is_keyed,
            idempotency_key_new=is_key_new,
        )


class ExecutionRetried(ResponseBody):
    """201: the execution that goes on from the history of a failed one; 200: the one that this request has begun before."""

    workflow_execution_id: str
    status: WorkflowStatus
    kind: str
    created_at: str
    links: Links
    retried_from: str

    @classmethod
    def of(cls, org: OrgId, snapshot: ExecutionSnapshot) -> ExecutionRetried:
        """What `snapshot`, of a retry, says."""
        return cls(
            workflow_execution_id=snapshot.workflow_execution_id,
            status=snapshot.status,
            kind=snapshot.kind,
            created_at=rfc3339(snapshot.created_at_ms),
            links=Links.of(org, snapshot.workflow_execution_id),
            retried_from=str(snapshot.retried_from),
        )


class SignalledWithStart(ExecutionStarted):
    """201: the execution that was started with a signal; 200: the one that was signalled. And the sequence of the signal's event."""

    signal_event_sequence: int

    @classmethod
    def told(cls, org: OrgId, signalled: signal_with_start.SignalledWithStart) -> SignalledWithStart:
        """What `signalled` says."""
        started = ExecutionStarted.of(org, signalled.snapshot, is_keyed=True, is_key_new=signalled.is_new)
        return cls(**started.__dict__, signal_event_sequence=signalled.sequence)


class ExecutionView(ResponseBody):
    """An execution as of `current_sequence`.

    `suspend_type`, what it waits for first, is there while it is WAITING, `output` once it is COMPLETED, and may be null.
    """

    workflow_execution_id: str
    kind: str
    status: WorkflowStatus
    created_at: Moment
    current_sequence: int
    queue: str
    links: Links
    suspend_type: SuspendType | None = None
    version: str | None = None
    metadata: dict[str, Any] | None = None
    parent_workflow_execution_id: str | None = None
    output: Any = None
    error: ErrorView | None = None
    failure_type: str | None = None
    continued_as: str | None = None
    retried_from: str | None = None

    @classmethod
    def of(cls, org: OrgId, snapshot: ExecutionSnapshot) -> ExecutionView:
        """What `snapshot` says."""
        return cls(
            workflow_execution_id=snapshot.workflow_execution_id,
            kind=snapshot.kind,
            status=snapshot.status,
            created_at=rfc3339(snapshot.created_at_ms),
            current_sequence=snapshot.current_sequence,
            queue=snapshot.queue,
            links=Links.of(org, snapshot.workflow_execution_id),
            **_optional(snapshot),
        )


class WorkerRegistered(ResponseBody):
    """201: the worker's id, the kinds of its queue that it does not serve, and how often to heartbeat."""

    worker_id: str
    missing_kinds: list[str]
    heartbeat_ms: int

    @classmethod
    def of(cls, registered: Registered) -> WorkerRegistered:
        """What `registered` says."""
        return cls(
            worker_id=registered.worker_id,
            missing_kinds=list(registered.missing_kinds),
            heartbeat_ms=registered.heartbeat_ms,
        )


class DefinitionView(ResponseBody):
    """A task or workflow: its kind and what is known of it."""

    kind: str
    deployed: bool
    content_hash: str | None = None
    input_schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None
    queue: str | None = None
    description: str | None = None
    registered_at: Moment | None = None

    @classmethod
    def of(cls, known: Known) -> DefinitionView:
        """What `known` says."""
        given: dict[str, Any] = definitions.to_json(known.manifest)
        if known.registered_at_ms is not None:
            given["registeredAt"] = rfc3339(known.registered_at_ms)
        return cls.model_validate({**given, "deployed": known.is_deployed})


class DefinitionsFound(ResponseBody):
    """A page of definitions, by kind. `next_after` is there if there are more."""

    definitions: list[DefinitionView]
    next_after: str | None = None

    @classmethod
    def of(cls, page: DefinitionPage) -> DefinitionsFound:
        """What `page` holds."""
        views = [DefinitionView.of(known) for known in page.definitions]
        return (
            cls(definitions=views)
            if page.next_after is None
            else cls(definitions=views, next_after=page.next_after)
        )


class TaskView(ResponseBody):
    """A claimed attempt.

    `workflow_execution_id` is there unless the task is standalone, `non_retryable` where the task's retry policy names errors, `heartbeat_details` where an earlier attempt left some,
    `traceparent` where whoever started the execution has a trace.
    """

    task_execution_id: str
    workflow_execution_id: str | None = None
    kind: str
    input: Any
    attempt: int
    max_retries: int
    lease_token: str
    lease_ends_at: Moment
    heartbeat_ms: int
    non_retryable: list[str] | None = None
    heartbeat_details: Any = None
    input_url: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    @classmethod
    def of(cls, task: ClaimedTask) -> TaskView:
        """What `task` says."""
        optional: dict[str, Any] = {"non_retryable": list(task.non_retryable)} if task.non_retryable else {}
        if task.heartbeat_details is not None:
            optional["heartbeat_details"] = task.heartbeat_details
        if task.input_url is not None:
            optional["input_url"] = task.input_url
        if task.traceparent is not None:
            optional["traceparent"] = task.traceparent
        if task.tracestate is not None:
            optional["tracestate"] = task.tracestate
        if task.workflow_execution_id is not None:
            optional["workflow_execution_id"] = task.workflow_execution_id
        return cls(
            task_execution_id=task.task_execution_id,
            kind=task.kind,
            input=task.input,
            attempt=task.attempt,
            max_retries=task.max_retries,
            lease_token=task.lease_token,
            lease_ends_at=rfc3339(task.lease_ends_at_ms),
            heartbeat_ms=task.heartbeat_ms,
            **optional,
        )


class ClaimedTasks(ResponseBody):
    """What a poll brought, possibly nothing.

    `paused` is there where the queue is, `worker_known` where the worker has to register, perhaps again.
    """

    tasks: list[TaskView]
    paused: bool | None = None
    worker_known: bool | None = None

    @classmethod
    def of(cls, polled: Polled, *, is_worker_known: bool) -> ClaimedTasks:
        """What `polled` says."""
        optional = {"paused": True} if polled.is_paused else {}
        optional |= {} if is_worker_known else {"worker_known": False}
        return cls(tasks=[TaskView.of(task) for task in polled.tasks], **optional)


class Recorded(ResponseBody):
    """The sequence that the event of a report or a request has."""

    sequence: int


class SignalRecorded(ResponseBody):
    """The sequence that a signal's event has."""

    signal_event_sequence: int


class PromiseSettled(ResponseBody):
    """The sequence of the event that settled a promise, and whether that was not this call's."""

    sequence: int
    already_resolved: bool

    @classmethod
    def of(cls, settled: Settled) -> PromiseSettled:
        """What `settled` says."""
        return cls(sequence=settled.sequence, already_resolved=settled.already_settled)


class Heartbeat(ResponseBody):
    """Whether the worker should stop."""

    cancel_requested: bool


def _optional(snapshot: ExecutionSnapshot) -> dict[str, Any]:
    """The fields that not every execution has."""
    given: dict[str, Any] = {
        "suspend_type": snapshot.suspend_type,
        "version": snapshot.version,
        "metadata": snapshot.metadata,
        "parent_workflow_execution_id": snapshot.parent_workflow_execution_id,
        "error": None if snapshot.error is None else to_json(snapshot.error),
        "failure_type": snapshot.failure_type,
        "continued_as": snapshot.continued_as,
        "retried_from": snapshot.retried_from,
    }
    present = {name: value for name, value in given.items() if value is not None}
    if snapshot.status is WorkflowStatus.COMPLETED:
        present["output"] = snapshot.output
    return present
