"""Start an execution once, however often and from wherever it is asked for: under an idempotency key."""

from __future__ import annotations

import json
from dataclasses import replace

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import EventType, TaskCreated, WorkflowStarted
from flowstrand.engine.ids import OrgId
from flowstrand.engine.payload_reference import id_of
from flowstrand.engine.schema import Payload, PayloadRef
from flowstrand.errors import Conflict, LogCorrupted
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append, executions, idempotency, payloads, quotas
from flowstrand.service.container import Services
from flowstrand.service.executions import ExecutionSnapshot, StartRequest
from flowstrand.service.waking import wake


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The execution that a key stands for, and whether this call made it."""

    snapshot: ExecutionSnapshot
    is_new: bool


def start_once(services: Services, org: OrgId, request: StartRequest, key: str, *, ttl_ms: int) -> Started:
    """Create an execution and wake it, unless `key` stands for one already.

    A key stands for its execution until `ttl_ms` after it was claimed, and for as long as that is open; one that fails or
    is cancelled frees it at once. Where an execution has continued as another, the newest counts.

    Raises:
        Conflict: `IDEMPOTENCY_KEY_REUSED`: the execution is of another kind or has another input; nothing is created.
        NotFound: `UNKNOWN_WORKFLOW_KIND`: no deployed app or registration knows the kind; nothing is created.
        PayloadTooLarge: the input is over the limit; nothing is created.
        UnprocessableInput: the input does not fit the workflow's schema; nothing is created.
        QuotaExceeded: the org has started too much, this one or others; nothing is created.
        StoreUnavailable: it may or may not have been created; start it again under the same key.
    """
    executions.require_startable(services, org, request)
    quotas.require_start(services, org)
    while True:
        held = idempotency.hold(services, org, key, ttl_ms=ttl_ms, gives_way=gives_key_away)
        if held.chain:
            require_same(services, held.chain[0], request.kind, request.input)
            return Started(snapshot=executions.snapshot(services, held.chain[0]), is_new=False)
        begun = executions.begin(services, LogKey(org, held.execution_id), replace(request, idempotency_key=key))
        if begun is not None:
            return Started(snapshot=executions.snapshot(services, begun), is_new=True)


def require_same_kind(tip: append.Tip, kind: str) -> None:
    """Refuse what would be taken for an execution of another kind.

    Raises:
        Conflict: `IDEMPOTENCY_KEY_REUSED`.
    """
    if tip.state.kind != kind:
        raise _reused(f"has started an execution of another kind, {tip.state.workflow_execution_id}")


def gives_key_away(chain: tuple[append.Tip, ...], has_expired: bool) -> bool:
    """Whether another may be started under the key: a `idempotency.GivesWay`."""
    match chain[-1].state.closed:
        case None:
            return False
        case EventType.WORKFLOW_COMPLETED | EventType.TASK_COMPLETED:
            return has_expired
        case _:
            return True


def require_same(services: Services, tip: append.Tip, kind: str, input: JsonValue) -> None:
    """Refuse what would be taken for something else. What has not gone on is woken again: its maker may have ended before.

    Raises:
        Conflict: `IDEMPOTENCY_KEY_REUSED`: of another kind, or with another input.
    """
    require_same_kind(tip, kind)
    started = _start_of(services, tip)
    # Once the first of a chain has expired, the input that it was started with is not known.
    is_original = isinstance(started, TaskCreated) or started.continued_from is None
    if is_original and not _is_same(services, tip, input, started.input):
        raise _reused(f"has started an execution with another input, {tip.state.workflow_execution_id}")
    if tip.state.closed is None and (tip.state.sequence == 1 or not tip.state.has_begun):
        wake(services, tip.key, 1)


def _start_of(services: Services, tip: append.Tip) -> WorkflowStarted | TaskCreated:
    first = services.log.commit_at(tip.key, 1)
    started = unpack_events(first)[0].data if first else None
    if not isinstance(started, WorkflowStarted | TaskCreated):
        raise LogCorrupted(f"{tip.key} does not begin with its start")
    return started


def _is_same(services: Services, tip: append.Tip, given: JsonValue, recorded: Payload) -> bool:
    """Whether two inputs are the same JSON. Encoded ones pass for the same: encryption gives another text each time."""
    if isinstance(recorded, PayloadRef) and id_of(given) is not None:
        return id_of(given) == recorded.sha256
    known = payloads.fetch(services, tip.key.org, recorded)
    if payloads.is_encoded(given) and payloads.is_encoded(known):
        return True
    return _canonical(given) == _canonical(known)


def _canonical(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _reused(what: str) -> Conflict:
    return Conflict(f"this idempotency key {what}", code="IDEMPOTENCY_KEY_REUSED")
