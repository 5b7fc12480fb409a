"""Standalone tasks: asked for by a client rather than by workflow code, each the root of a log of its own.

Behind their first commit they are tasks like any other: wakes, claims, reports, leases and deadlines know no difference.
"""

from __future__ import annotations

from dataclasses import field, replace

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids
from flowstrand.engine.decide import task
from flowstrand.engine.decide.start import start_task
from flowstrand.engine.events import EventType, RetryPolicy
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.commands import NO_TERMS, ScheduleTask, TaskTerms
from flowstrand.engine.trace_context import TraceContext
from flowstrand.errors import Conflict, NotFound
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import append, definitions, executions, idempotency, input_schema, payloads, quotas
from flowstrand.service.container import Services
from flowstrand.service.start_once import gives_key_away, require_same
from flowstrand.service.task_address import address_of, creation_of, require_log
from flowstrand.service.waking import wake

_DEFAULT_QUEUE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """What a caller asks for.

    Attributes:
        input: JSON of at most `Settings.max_payload_bytes`.
        queue: where it waits; None for where the kind's definition says that it does, else `default`.
        metadata: shown with the task.
        trace: whose trace it belongs to.
    """

    kind: str
    input: JsonValue
    queue: str | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    terms: TaskTerms = NO_TERMS
    metadata: JsonObject | None = None
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedTask:
    """The task that now exists, and whether this call made it."""

    tip: append.Tip
    is_new: bool


def start(
    services: Services, org: OrgId, request: TaskRequest, *, task_id: ids.ExecutionId | None = None
) -> append.Tip:
    """Create a task and have it queued.

    Args:
        task_id: for tools that choose ids: `ids.standalone_task_id` made it, and no task has it; made here by default.

    Raises:
        Conflict: `EXECUTION_EXISTS`: `task_id` is taken; nothing is created.
        NotFound: `UNKNOWN_TASK_KIND`: no deployed app or registered worker knows the kind; nothing is created.
        PayloadTooLarge: the input is over the limit; nothing is created.
        UnprocessableInput: the input does not fit the task's schema; nothing is created.
        QuotaExceeded: the org has started too much; nothing is created.
        StoreUnavailable: it may or may not have been created.
    """
    request = _startable(services, org, request)
    new_id = task_id or ids.standalone_task_id(services.clock.now_ms(), services.random_bytes(10))
    tip = _begin(services, LogKey(org, new_id), request)
    if tip is None:
        raise Conflict(f"there is a task execution {new_id!r}", code="EXECUTION_EXISTS")
    return tip


def start_once(services: Services, org: OrgId, request: TaskRequest, key: str, *, ttl_ms: int) -> StartedTask:
    """Create a task and have it queued, unless `key` stands for one already.

    Keys of tasks stand beside those of executions, and last as long: `start_once.start_once`.

    Raises:
        Conflict: `IDEMPOTENCY_KEY_REUSED`: the task is of another kind or has another input; nothing is created.
        NotFound, PayloadTooLarge, UnprocessableInput, QuotaExceeded, StoreUnavailable: as `start`.
    """
    request = _startable(services, org, request)
    while True:
        held = idempotency.hold(
            services,
            org,
            idempotency.of_task(key),
            ttl_ms=ttl_ms,
            gives_way=gives_key_away,
            new_id=ids.standalone_task_id,
        )
        if held.chain:
            require_same(services, held.chain[0], request.kind, request.input)
            return StartedTask(tip=held.chain[0], is_new=False)
        begun = _begin(services, LogKey(org, held.execution_id), request, idempotency_key=key)
        if begun is not None:
            return StartedTask(tip=begun, is_new=True)


def cancel(services: Services, org: OrgId, task_id: str, *, reason: str | None = None) -> int:
    """End a standalone task, whether it waits or runs; its worker hears of it with its next heartbeat.

    Args:
        reason: for people; part of the event.

    Returns:
        The sequence of `TASK_CANCELLED`; of the first, where the task was cancelled before.

    Raises:
        NotFound: `TASK_NOT_FOUND`.
        Conflict: `TASK_OF_WORKFLOW`: only its execution can cancel it. `EXECUTION_CLOSED`: it has ended otherwise.
        Unavailable, StoreUnavailable: it may or may not have been cancelled; ask again.
    """
    key = require_standalone(services, org, task_id)
    try:
        cancelled = append.transact(
            services, key, lambda draft: _cancel(draft, reason), tip=require_log(services, key)
        )
    except append.Contended as contended:
        raise append.unavailable(contended) from contended
    wake(services, key, cancelled.result)
    return cancelled.result


def require_standalone(services: Services, org: OrgId, task_id: str) -> LogKey:
    """The log of a standalone task. Looks at a log only to tell what is wrong with the id of another.

    Raises:
        NotFound: `TASK_NOT_FOUND`: it cannot be one, nor is it an execution's task.
        Conflict: `TASK_OF_WORKFLOW`: it is part of an execution.
    """
    key, _ = address_of(org, task_id)
    if ids.is_standalone_task(task_id):
        return key
    creation_of(services, require_log(services, key), task_id)
    raise Conflict(
        f"this task is part of the workflow execution {key.execution_id}, which has its events and ends it",
        code="TASK_OF_WORKFLOW",
    )


def _startable(services: Services, org: OrgId, request: TaskRequest) -> TaskRequest:
    """The request with its queue, unless it is to be refused."""
    manifest = definitions.find_task(services, org, request.kind)
    if manifest is None:
        raise NotFound(f"no task {request.kind!r} is known", code="UNKNOWN_TASK_KIND")
    payloads.require_storable(services, request.input, org=org)
    input_schema.require_fitting(manifest.input_schema, request.input)
    quotas.require_start(services, org)
    return replace(request, queue=request.queue or manifest.queue or _DEFAULT_QUEUE)


def _begin(
    services: Services, key: LogKey, request: TaskRequest, *, idempotency_key: str | None = None
) -> append.Tip | None:
    command = ScheduleTask(
        position=ids.ROOT,
        kind=request.kind,
        input=request.input,
        queue=request.queue or _DEFAULT_QUEUE,
        retry=request.retry,
        terms=request.terms,
    )
    created = start_task(
        key.execution_id,
        command,
        metadata=request.metadata,
        idempotency_key=idempotency_key,
        trace=request.trace,
    )
    return executions.begin_log(services, key, created)


def _cancel(draft: Draft, reason: str | None) -> int:
    state = draft.state
    if state.closed not in {None, EventType.TASK_CANCELLED}:
        raise Conflict("the task has ended", code="EXECUTION_CLOSED")
    task.cancel(draft, ids.ROOT, reason=reason)
    return draft.state.sequence
