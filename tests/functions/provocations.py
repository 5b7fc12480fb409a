"""How each documented refusal is brought about: one way for a code, whatever the route, and a few for single routes.

A way is a function of the world, the operation and its sample request. It may change the world first; what it returns is the
request that must be refused. A new route is covered by what is here, unless it has a code of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from pydantic.alias_generators import to_camel

from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.decide import task
from flowstrand.engine.events import StateSet
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import ROOT, execution_id
from flowstrand.errors import StoreUnavailable
from flowstrand.http.openapi import parameters
from flowstrand.http.openapi.operation import Operation
from flowstrand.local import routes
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.service import append, definitions, payloads, quotas, standalone
from flowstrand.service.cancel import cancel
from flowstrand.service.container import require as installed
from flowstrand.service.definitions import Manifest
from tests.functions.requests import request_of, with_fields, with_parameters, with_query
from tests.functions.stack import (
    ACME,
    APPROVAL,
    CLAIMED,
    CLAIMED_TASK,
    NOW_MS,
    QUEUED,
    SCHEDULE,
    STANDALONE,
    Approval,
    Order,
    Stack,
    sample,
)

Event: TypeAlias = dict[str, Any]
Way: TypeAlias = Callable[[Stack, Operation, Event], Event]

NOBODY = execution_id(NOW_MS, b"nobody----")
_NONSENSE = "\N{SECTION SIGN}"


class Failing:
    """A store of which every method fails."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: Any, **__: Any) -> Any:
            raise StoreUnavailable("the store is away")

        return fail


class Contended:
    """A store that can be read, and whose every write loses against somebody else's."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, commit: Commit) -> None:
        raise AppendConflict(str(commit.key))


class ContendedDirectory(Contended):
    """Conditional writes lose; others do not."""

    def put(self, *arguments: Any, expect: int | None = None, **options: Any) -> Any:
        if expect is not None:
            raise PreconditionFailed(str(arguments))
        return self._inner.put(*arguments, **options)


class NoPrograms:
    """An app without workflows."""

    def program(self, kind: str) -> None:
        return None

    def kinds(self) -> Sequence[str]:
        return ()


# --- any route ------------------------------------------------------------------------------------


def _nobody_calls(_stack: Stack, _operation: Operation, event: Event) -> Event:
    del event["requestContext"]["authorizer"]
    return event


def _another_principal_calls(_stack: Stack, operation: Operation, event: Event) -> Event:
    other = "user" if operation.principal == "worker" else "worker"
    event["requestContext"]["authorizer"]["principals"] = other
    return event


def _another_orgs_path(_stack: Stack, operation: Operation, event: Event) -> Event:
    return with_parameters(operation, event, org="other")


def _stores_are_away(stack: Stack, _operation: Operation, event: Event) -> Event:
    failing: Any = Failing()
    stack.use(replace(stack.services, log=failing, directory=failing, payloads=failing, tasks=failing))
    return event


# --- what a request holds -------------------------------------------------------------------------


def _half_a_body(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return {**event, "body": "{"}


def _what_does_not_fit(_stack: Stack, operation: Operation, event: Event) -> Event:
    if operation.body is not None:
        return {**event, "body": "[]"}
    assert operation.query is not None
    given = [str(parameter["name"]) for parameter in parameters.of_model(operation.query, "query")]
    return with_query(event, **dict.fromkeys(given, _NONSENSE))


def _a_field_of_another_version(_stack: Stack, operation: Operation, event: Event) -> Event:
    assert operation.body is not None
    return with_fields(event, **dict.fromkeys(operation.body.not_supported, 1))


def _beyond_the_tail(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_query(_not_resumed(event), after="1000")


def _a_cursor_of_nobodys(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_query(event, cursor=_NONSENSE)


def _over_a_mebibyte(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_fields(event, more="x" * 1_048_576)


# --- what it names --------------------------------------------------------------------------------


def _unknown(parameter: str, value: str) -> Way:
    def way(_stack: Stack, operation: Operation, event: Event) -> Event:
        return with_parameters(operation, event, **{parameter: value})

    return way


def _an_unknown_kind(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_fields(event, kind="nobody-knows-this")


def _a_kind_that_is_known_no_more(stack: Stack, _operation: Operation, event: Event) -> Event:
    stack.use(replace(stack.services, programs=NoPrograms()))
    return event


def _inputs_are_to_be_texts(stack: Stack, _operation: Operation, event: Event) -> Event:
    manifests = [Manifest(kind=kind, input_schema={"type": "string"}) for kind in (Order.kind, Approval.kind)]
    definitions.add(stack.services.directory, ACME, definitions.WORKFLOWS, manifests, now_ms=NOW_MS)
    stack.use(replace(stack.services, programs=NoPrograms()))
    return event


def _a_schema_that_is_none(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_fields(event, workflowDefinitions=[{"kind": "order", "inputSchema": {"type": 5}}])


# --- what stands in its way -----------------------------------------------------------------------


def _of_an_open_execution(_stack: Stack, operation: Operation, event: Event) -> Event:
    return with_parameters(operation, event, executionId=QUEUED)


def _executions_have_ended(stack: Stack, _operation: Operation, event: Event) -> Event:
    for execution in (CLAIMED, QUEUED, APPROVAL):
        cancel(stack.services, ACME, execution, force=True)
    return event


def _everything_has_expired(stack: Stack, operation: Operation, event: Event) -> Event:
    retention = stack.services.retention
    assert retention is not None
    _executions_have_ended(stack, operation, event)
    standalone.cancel(stack.services, ACME, STANDALONE)
    for log in (CLAIMED, QUEUED, APPROVAL, STANDALONE):
        retention.expire(LogKey(ACME, log), now_ms=stack.clock.now_ms(), limit=1_000)
    return _not_resumed(event)


def _from_the_beginning_of_what_has_expired(stack: Stack, operation: Operation, event: Event) -> Event:
    return with_query(_everything_has_expired(stack, operation, event), after="0")


def _from_the_middle_of_what_has_expired(stack: Stack, operation: Operation, event: Event) -> Event:
    return with_query(_everything_has_expired(stack, operation, event), after="1")


def _of_an_expired_execution(stack: Stack, operation: Operation, event: Event) -> Event:
    return with_parameters(operation, _everything_has_expired(stack, operation, event), executionId=QUEUED)


def _a_task_of_an_expired_execution(stack: Stack, operation: Operation, event: Event) -> Event:
    return with_parameters(operation, _everything_has_expired(stack, operation, event), taskId=CLAIMED_TASK)


def _the_lease_has_run_out(stack: Stack, _operation: Operation, event: Event) -> Event:
    stack.clock.sleep_ms(stack.services.settings.lease_ms)
    stack.invoke("resumer", sample("resumer/lease-end"))
    return event


def _a_forged_lease(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_fields(event, leaseToken="a.b.c")


def _everyone_writes(stack: Stack, _operation: Operation, event: Event) -> Event:
    log: Any = Contended(stack.services.log)
    directory: Any = ContendedDirectory(stack.services.directory)
    stack.use(replace(stack.services, log=log, directory=directory))
    return event


def _the_quota_is_used_up(stack: Stack, _operation: Operation, event: Event) -> Event:
    settings = replace(stack.services.settings, quota_starts_per_s=1, quota_signals_per_s=1, quota_burst_s=1)
    stack.use(replace(stack.services, settings=settings))
    quotas.require_start(installed(), ACME)
    quotas.require_signal(installed(), ACME)
    return event


def _a_key_with_another_input(stack: Stack, _operation: Operation, event: Event) -> Event:
    keyed = with_fields(event, idempotencyKey="k")
    assert _ask(stack, keyed)["statusCode"] == 201
    return with_fields(keyed, input="another")


def _a_key_of_another_kind(stack: Stack, operation: Operation, event: Event) -> Event:
    assert _ask(stack, request_of(operation))["statusCode"] == 201
    return with_fields(event, kind=Approval.kind, requestId="another")


def _everyone_signals(stack: Stack, operation: Operation, event: Event) -> Event:
    assert _ask(stack, request_of(operation))["statusCode"] == 201
    return _everyone_writes(stack, operation, with_fields(event, requestId="another"))


def _everyone_changes_a_paused_one(stack: Stack, operation: Operation, event: Event) -> Event:
    assert _ask(stack, sample("executions/pause-schedule"))["statusCode"] == 200
    return _everyone_writes(stack, operation, event)


def _the_same_id(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_fields(event, scheduleId=SCHEDULE)


def _no_logs_are_kept(stack: Stack, _operation: Operation, event: Event) -> Event:
    stack.use(replace(stack.services, settings=replace(stack.services.settings, task_log_batches=0)))
    return event


def _much_state(stack: Stack, operation: Operation, event: Event) -> Event:
    key = LogKey(ACME, CLAIMED)
    values = [payloads.store(stack.services, ACME, str(number) * 1_000_000) for number in range(5)]

    def decide(draft: Draft) -> None:
        for number, value in enumerate(values, 100):
            draft.emit(StateSet(position=number, key=str(number), value=value))

    append.transact(stack.services, key, decide)
    return with_parameters(operation, event, executionId=CLAIMED)


def _what_nobody_has_uploaded(_stack: Stack, operation: Operation, event: Event) -> Event:
    if "{payloadId}" in operation.path:
        return with_parameters(operation, event, payloadId="0" * 64)
    return _with_value(operation, event, {"$flowstrand": "payload", "id": "0" * 64})


def _what_stands_for_nothing(_stack: Stack, operation: Operation, event: Event) -> Event:
    return _with_value(operation, event, {"$flowstrand": "payload"})


def _with_value(operation: Operation, event: Event, value: Any) -> Event:
    assert operation.body is not None
    taken = [name for name in ("input", "signal_value", "value", "output") if name in operation.body.model_fields]
    return with_fields(event, **{to_camel(taken[0]): value})


def _a_task_of_an_execution(_stack: Stack, operation: Operation, event: Event) -> Event:
    return with_parameters(operation, event, taskId=CLAIMED_TASK)


def _the_task_is_done(stack: Stack, _operation: Operation, event: Event) -> Event:
    key = LogKey(ACME, STANDALONE)
    append.transact(stack.services, key, lambda draft: task.complete(draft, ROOT, attempt=1, output="done"))
    return event


def _too_long_a_reason(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_query(event, reason="x" * 1_025)


def _the_execution_has_completed(stack: Stack, _operation: Operation, event: Event) -> Event:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))
    return event


def _a_task_with_a_schema(stack: Stack, _operation: Operation, event: Event) -> Event:
    manifest = Manifest(kind="charge-card", input_schema={"type": "string"})
    definitions.add(stack.services.directory, ACME, definitions.TASKS, [manifest], now_ms=NOW_MS)
    return with_fields(event, input=5)


def _ask(stack: Stack, event: Event) -> Any:
    found = routes.match(event["httpMethod"], event["path"])
    assert found is not None
    return stack.invoke(found[0].function, event)


BY_CODE: dict[str, Way] = {
    "UNAUTHENTICATED": _nobody_calls,
    "WRONG_PRINCIPAL": _another_principal_calls,
    "NOT_FOUND": _another_orgs_path,
    "STORE_UNAVAILABLE": _stores_are_away,
    "MALFORMED_JSON": _half_a_body,
    "QUOTA_EXCEEDED": _the_quota_is_used_up,
    "INVALID_INPUT": _what_does_not_fit,
    "NOT_SUPPORTED": _a_field_of_another_version,
    "UNPROCESSABLE_INPUT": _inputs_are_to_be_texts,
    "INVALID_SCHEMA": _a_schema_that_is_none,
    "INVALID_CURSOR": _a_cursor_of_nobodys,
    "POSITION_BEYOND_TAIL": _beyond_the_tail,
    "PAYLOAD_TOO_LARGE": _over_a_mebibyte,
    "EXECUTION_NOT_FOUND": _unknown("executionId", NOBODY),
    "TASK_NOT_FOUND": _unknown("taskId", f"{NOBODY}.t1"),
    "PROMISE_NOT_FOUND": _unknown("promiseId", f"{NOBODY}.p1"),
    "SCHEDULE_NOT_FOUND": _unknown("scheduleId", "unknown"),
    "WORKER_NOT_FOUND": _unknown("workerId", "nobody"),
    "UNKNOWN_WORKFLOW_KIND": _an_unknown_kind,
    "PAYLOAD_NOT_FOUND": _what_nobody_has_uploaded,
    "INVALID_PAYLOAD": _what_stands_for_nothing,
    "UNKNOWN_TASK_KIND": _an_unknown_kind,
    "TASK_OF_WORKFLOW": _a_task_of_an_execution,
    "EXECUTION_NOT_FAILED": _of_an_open_execution,
    "EXECUTION_CLOSED": _executions_have_ended,
    "EXECUTION_EXPIRED": _everything_has_expired,
    "CURSOR_EXPIRED": _from_the_middle_of_what_has_expired,
    "STALE_ATTEMPT": _the_lease_has_run_out,
    "INVALID_LEASE": _a_forged_lease,
    "BUSY": _everyone_writes,
}
"""The way for each code that several routes have."""

OF_ROUTES: dict[tuple[str, str], Way] = {
    ("startExecution", "IDEMPOTENCY_KEY_REUSED"): _a_key_with_another_input,
    ("startTask", "IDEMPOTENCY_KEY_REUSED"): _a_key_with_another_input,
    ("startTask", "UNPROCESSABLE_INPUT"): _a_task_with_a_schema,
    ("readEvents", "EXECUTION_EXPIRED"): _from_the_beginning_of_what_has_expired,
    ("streamEvents", "EXECUTION_EXPIRED"): _from_the_beginning_of_what_has_expired,
    ("readTaskEvents", "EXECUTION_EXPIRED"): _from_the_beginning_of_what_has_expired,
    ("streamTaskEvents", "EXECUTION_EXPIRED"): _from_the_beginning_of_what_has_expired,
    ("retryExecution", "EXECUTION_EXPIRED"): _of_an_expired_execution,
    ("getTask", "EXECUTION_EXPIRED"): _a_task_of_an_expired_execution,
    ("cancelTask", "EXECUTION_CLOSED"): _the_task_is_done,
    ("cancelTask", "INVALID_INPUT"): _too_long_a_reason,
    ("heartbeatTask", "EXECUTION_CLOSED"): _the_execution_has_completed,
    ("signalWithStart", "IDEMPOTENCY_KEY_REUSED"): _a_key_of_another_kind,
    ("signalWithStart", "BUSY"): _everyone_signals,
    ("createSchedule", "SCHEDULE_EXISTS"): _the_same_id,
    ("triggerSchedule", "UNKNOWN_WORKFLOW_KIND"): _a_kind_that_is_known_no_more,
    ("resumeSchedule", "BUSY"): _everyone_changes_a_paused_one,
    ("getQueue", "INVALID_INPUT"): _unknown("queue", _NONSENSE),
    ("getExecutionState", "STATE_TOO_LARGE"): _much_state,
    ("logTask", "TASK_LOG_FULL"): _no_logs_are_kept,
}
"""Where one route's refusal takes another way."""


def again(stack: Stack, operation: Operation, event: Event) -> Event:
    """A request that has been served before."""
    is_keyed = operation.name in {"startExecution", "startTask"}
    keyed = with_fields(event, idempotencyKey="k") if is_keyed else event
    assert _ask(stack, keyed)["statusCode"] == 201
    return keyed


def from_the_end(stack: Stack, _operation: Operation, event: Event) -> Event:
    """A reader that has all there will ever be."""
    cancel(stack.services, ACME, CLAIMED, force=True)
    tip = append.require(stack.services, LogKey(ACME, CLAIMED))
    return with_query(_not_resumed(event), after=str(tip.state.sequence))


def from_the_end_of_a_task(stack: Stack, operation: Operation, event: Event) -> Event:
    """The same of a standalone task."""
    return with_query(_not_resumed(_the_task_is_done(stack, operation, event)), after="3")


def _not_resumed(event: Event) -> Event:
    """Without `Last-Event-ID`, which beats `after`."""
    headers = {name: value for name, value in event["headers"].items() if name.lower() != "last-event-id"}
    return {**event, "headers": headers}


SUCCESSES: dict[tuple[str, int], Way] = {
    ("startExecution", 200): again,
    ("signalWithStart", 200): again,
    ("retryExecution", 200): again,
    ("streamEvents", 204): from_the_end,
    ("startTask", 200): again,
    ("streamTaskEvents", 204): from_the_end_of_a_task,
}
"""How each documented success is had that the route's sample does not have."""
