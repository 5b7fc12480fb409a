"""Start an execution; say how one stands."""

from __future__ import annotations

import json

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids
from flowstrand.engine.decide.start import start_workflow
from flowstrand.engine.events import (
    ErrorInfo,
    EventData,
    StateSet,
    SuspendType,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStatus,
)
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.trace_context import TraceContext
from flowstrand.errors import Conflict, LogCorrupted, NotFound, PayloadTooLarge
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.observability import correlation
from flowstrand.service import append, definitions, input_schema, open_executions, payloads, quotas, succession
from flowstrand.service.container import Services
from flowstrand.service.waking import wake

_STATE_BYTES = 4 * 1024 * 1024
"""All of a state that is larger would not fit into one Lambda response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """What a caller asks for.

    Attributes:
        input: JSON of at most `Settings.max_payload_bytes`.
        timeout_ms: how long the execution may take; None for ever.
        idempotency_key: what stands for it, so that the key can be found from the log.
        trace: whose trace it belongs to.
    """

    kind: str
    input: JsonValue
    queue: str = "default"
    version: str | None = None
    metadata: JsonObject | None = None
    timeout_ms: int | None = None
    idempotency_key: str | None = None
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSnapshot:
    """An execution as it stands at `current_sequence`.

    Attributes:
        suspend_type: what it waits for first, while it is WAITING.
        failure_type: why a failed one failed, for programs.
        continued_as: the execution that goes on from a completed one; then that one has the output.
        retried_from: the failed execution from whose history this one began.
    """

    workflow_execution_id: str
    kind: str
    status: WorkflowStatus
    created_at_ms: int
    current_sequence: int
    suspend_type: SuspendType | None
    queue: str
    version: str | None
    metadata: JsonObject | None
    parent_workflow_execution_id: str | None
    output: JsonValue
    error: ErrorInfo | None
    failure_type: str | None
    continued_as: str | None
    retried_from: str | None


def start(
    services: Services,
    org: OrgId,
    request: StartRequest,
    *,
    execution_id: ExecutionId | None = None,
    counts: bool = True,
) -> ExecutionSnapshot:
    """Create an execution and wake it.

    Args:
        execution_id: for tools that choose ids, one that no execution has; made here by default.
        counts: whether the org's quotas are asked first.

    Raises:
        Conflict: `EXECUTION_EXISTS`: `execution_id` is taken; nothing is created.
        NotFound: `UNKNOWN_WORKFLOW_KIND`: no deployed app or registration knows the kind; nothing is created.
        PayloadTooLarge: the input is over the limit; nothing is created.
        QuotaExceeded: the org has started too much; nothing is created.
        UnprocessableInput: the input does not fit the workflow's schema; nothing is created.
        StoreUnavailable: it may or may not have been created.
    """
    require_startable(services, org, request)
    if counts:
        quotas.require_start(services, org)
    now_ms = services.clock.now_ms()
    key = LogKey(org, execution_id or ids.execution_id(now_ms, services.random_bytes(10)))
    tip = begin(services, key, request)
    if tip is None:
        raise Conflict(f"there is an execution {key.execution_id!r}", code="EXECUTION_EXISTS")
    return snapshot(services, tip)


def require_startable(services: Services, org: OrgId, request: StartRequest) -> None:
    """Refuse what is not to begin.

    Raises:
        NotFound: `UNKNOWN_WORKFLOW_KIND`.
        PayloadTooLarge: the input is over the limit.
        UnprocessableInput: the input does not fit the workflow's schema.
    """
    manifest = definitions.find_workflow(services, org, request.kind)
    if manifest is None:
        raise NotFound(f"no workflow {request.kind!r} is known", code="UNKNOWN_WORKFLOW_KIND")
    payloads.require_storable(services, request.input, org=org)
    input_schema.require_fitting(manifest.input_schema, request.input)


def begin(services: Services, key: LogKey, request: StartRequest, *more: EventData) -> append.Tip | None:
    """Begin the log of `key` and wake it; None where it has been begun already.

    Args:
        more: what is to follow `WORKFLOW_STARTED` in the same commit.

    Raises:
        StoreUnavailable: it may or may not have begun.
    """
    now_ms = services.clock.now_ms()
    started = start_workflow(
        key.execution_id,
        kind=request.kind,
        input=payloads.store(services, key.org, request.input),
        queue=request.queue,
        version=request.version,
        metadata=request.metadata,
        timeout_at_ms=None if request.timeout_ms is None else now_ms + request.timeout_ms,
        idempotency_key=request.idempotency_key,
        trace=request.trace,
    )
    return begin_log(services, key, started, *more)


def begin_log(services: Services, key: LogKey, *events: EventData) -> append.Tip | None:
    """Append the first commit of a log, an execution's or a standalone task's, and wake it. Returns and raises as `begin`."""
    open_executions.add(services.directory, key, services.clock.now_ms())
    correlation.note(executionId=key.execution_id)
    commit = append.first_commit(services, key, *events)
    try:
        append.put(services, commit)
    except AppendConflict:
        return None
    wake(services, key, 1)
    return append.advance(None, key, [commit])


def get(services: Services, org: OrgId, execution_id: str) -> ExecutionSnapshot:
    """The execution as it stands; of one whose log has expired, as it ended.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`: unknown, or another org's.
    """
    key = LogKey(org, ExecutionId(execution_id))
    tip = append.load(services, key) or append.require(services, key)
    succession.ensure_successor(services, tip)
    return snapshot(services, tip)


def get_state(services: Services, org: OrgId, execution_id: str, key: str | None = None) -> dict[str, JsonValue]:
    """The workflow's own state: the values that its code has set and not cleared, by key; with `key`, that one at most.

    One read for each commit that set one of them, however long the log is.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`: unknown, or another org's.
        PayloadTooLarge: `STATE_TOO_LARGE`: the values are too much for one answer; ask for them one by one.
    """
    tip = append.require(services, LogKey(org, ExecutionId(execution_id)))
    wanted = {k: at for k, at in sorted(tip.state.values.items()) if key is None or k == key}
    found: dict[str, JsonValue] = {}
    commit: Commit | None = None
    size = 0
    for name, at in sorted(wanted.items(), key=lambda item: item[1]):
        if commit is None or at > commit.last_sequence:
            commit = services.log.commit_at(tip.key, at)
        data = unpack_events(commit)[at - commit.sequence].data if commit else None
        if not isinstance(data, StateSet):
            raise LogCorrupted(f"{tip.key} has no STATE_SET at {at}")
        found[name] = payloads.fetch(services, org, data.value)
        size += len(json.dumps(found[name]))
        if size > _STATE_BYTES and len(found) > 1:
            raise PayloadTooLarge("the state is too large for one answer; ask key by key", code="STATE_TOO_LARGE")
    return {name: found[name] for name in wanted}


def snapshot(services: Services, tip: append.Tip) -> ExecutionSnapshot:
    """The execution at `tip`."""
    state = tip.state
    end = _end_of(services, tip) if state.closed else None
    failed = end if isinstance(end, WorkflowFailed) else None
    cancelled = end if isinstance(end, WorkflowCancelled) else None
    return ExecutionSnapshot(
        workflow_execution_id=state.workflow_execution_id,
        kind=state.kind,
        status=state.status,
        created_at_ms=state.created_at_ms,
        current_sequence=state.sequence,
        suspend_type=state.suspend_type,
        queue=state.queue,
        version=state.version,
        metadata=state.metadata,
        parent_workflow_execution_id=state.parent.workflow_execution_id if state.parent else None,
        output=payloads.fetch(services, tip.key.org, end.output) if isinstance(end, WorkflowCompleted) else None,
        error=failed.error if failed else _reason(cancelled) if cancelled else None,
        failure_type=failed.failure_type if failed else None,
        continued_as=state.continued_as,
        retried_from=state.retry_of.workflow_execution_id if state.retry_of else None,
    )


def _end_of(services: Services, tip: append.Tip) -> EventData | None:
    commit = services.log.commit_at(tip.key, tip.state.sequence)
    return unpack_events(commit)[-1].data if commit else None


def _reason(end: WorkflowCancelled) -> ErrorInfo:
    """Why an execution was cancelled, as an error."""
    return ErrorInfo(type="WorkflowCancelled", message=end.reason or "the execution was cancelled")
