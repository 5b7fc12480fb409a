"""How each documented refusal is brought about: one way for a code, whatever the route, and a few for single routes.

A way is a function of the world, the operation and its sample request. It may change the world first; what it returns is the
request that must be refused. A new route is covered by what is here, unless it has a code of its own.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from pydantic.alias_generators import to_camel

from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.decide import child, task
from flowstrand.engine.events import StateSet
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import ROOT, execution_id
from flowstrand.engine.replay.commands import StartChild
from flowstrand.errors import StoreUnavailable
from flowstrand.http.authentication import expired_ticket_context, ticket_context
from flowstrand.http.openapi import parameters
from flowstrand.http.openapi.operation import ORG, Operation
from flowstrand.local import routes
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.service import append, definitions, payloads, quotas, standalone
from flowstrand.service.cancel import cancel
from flowstrand.service.channels import rows
from flowstrand.service.container import require as installed
from flowstrand.service.definitions import Manifest
from flowstrand.service.projection import project
from flowstrand.service.tickets import Readable, Scope, Ticket
from flowstrand.streams.consolidated.cursor import Cursor
from flowstrand.streams.consolidated.vector import Place
from tests.functions.requests import request_of, with_fields, with_parameters, with_query
from tests.functions.stack import (
    ACME,
    APPROVAL,
    CHANNEL,
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

    def delete(self, *arguments: Any, expect: int | None = None) -> Any:
        if expect is not None:
            raise PreconditionFailed(str(arguments))
        return self._inner.delete(*arguments)


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


def _with_an_expired_ticket(_stack: Stack, _operation: Operation, event: Event) -> Event:
    event["requestContext"]["authorizer"] = expired_ticket_context()
    return event


def _with_a_ticket_for_a_channel(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return _with_ticket(event, Scope(of=Readable.CHANNEL, id="chat"))


def _with_a_ticket_for_the_feed(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return _with_ticket(event, Scope(of=Readable.FEED))


def _with_ticket(event: Event, scope: Scope) -> Event:
    ticket = Ticket(org=ACME, scope=scope, key_id="key_1", expires_at_ms=NOW_MS)
    event["requestContext"]["authorizer"] = ticket_context(ticket)
    return event


def _a_ticket_for(scope: str, id: str) -> Way:
    def way(_stack: Stack, _operation: Operation, event: Event) -> Event:
        return with_fields(event, scope=scope, id=id)

    return way


def _for_an_execution_while_the_stores_are_away(stack: Stack, operation: Operation, event: Event) -> Event:
    return _stores_are_away(stack, operation, with_fields(event, scope="execution", id=CLAIMED))


def _the_feed_is_as_old_as_it_gets(stack: Stack, operation: Operation, event: Event) -> Event:
    project(stack.services, {LogKey(ACME, CLAIMED): 4})
    stack.clock.sleep_ms(stack.services.settings.feed_ms + 1)
    if operation.base != ORG:
        return with_query(event, offset="1".zfill(16))
    return with_query(_not_resumed(event), after="1")


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


def _somebody_has_changed_it(stack: Stack, operation: Operation, event: Event) -> Event:
    assert _ask(stack, with_fields(request_of(operation), cron="0 5 * * *"))["statusCode"] == 200
    return event


def _the_same_id(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_fields(event, scheduleId=SCHEDULE)


def _no_logs_are_kept(stack: Stack, _operation: Operation, event: Event) -> Event:
    stack.use(replace(stack.services, settings=replace(stack.services.settings, task_log_batches=0)))
    return event


def _one_value_is_all_there_may_be(stack: Stack, _operation: Operation, event: Event) -> Event:
    stack.use(replace(stack.services, settings=replace(stack.services.settings, stream_chunks_per_attempt=1)))
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


# --- channels ------------------------------------------------------------------------------------------


def _in_bytes(event: Event, body: bytes, **headers: str) -> Event:
    """With another body, and more in the head."""
    given = {**event["headers"], **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {**event, "headers": given, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _half_a_message(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return _in_bytes(event, b"{", Content_Type="application/json")


def _more_than_a_message_may_have(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return _in_bytes(event, b"x" * 1_048_577)


def _in_the_head(**headers: str) -> Way:
    def way(_stack: Stack, _operation: Operation, event: Event) -> Event:
        return _in_bytes(event, b"[1]", **headers)

    return way


def _the_channel_is_closed(stack: Stack, _operation: Operation, event: Event) -> Event:
    assert _ask(stack, sample("channels/close"))["statusCode"] == 204
    return event


def _the_name_changes_hands(stack: Stack, _operation: Operation, event: Event) -> Event:
    directory: Any = ContendedDirectory(stack.services.directory)
    stack.use(replace(stack.services, directory=directory))
    return event


def _behind_another(**headers: str) -> Way:
    """After an append with these headers, one with those of lesser numbers."""

    def way(stack: Stack, operation: Operation, event: Event) -> Event:
        assert _ask(stack, _in_bytes(event, b"[1]", **headers))["statusCode"] in {200, 204}
        return _in_bytes(
            request_of(operation),
            b"[2]",
            **{name: "0" if name != "Producer_Id" else value for name, value in headers.items()},
        )

    return way


def _the_same_name_made_otherwise(_stack: Stack, operation: Operation, event: Event) -> Event:
    return with_parameters(operation, event, name=CHANNEL)


def _an_offset_beyond_the_end(_stack: Stack, operation: Operation, event: Event) -> Event:
    return with_query(event, offset=_incarnated(operation, "1000".zfill(16)))


def _an_offset_of_an_earlier_one(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_query(event, offset=f"{'0' * 26}_{'1'.zfill(16)}")


def _an_offset_in_the_middle_of_what_has_expired(stack: Stack, operation: Operation, event: Event) -> Event:
    return with_query(_everything_has_expired(stack, operation, event), offset="1".zfill(16))


def _the_beginning_of_what_has_expired(stack: Stack, operation: Operation, event: Event) -> Event:
    return with_query(_everything_has_expired(stack, operation, event), offset="-1")


def _incarnated(operation: Operation, position: str) -> str:
    if "{name}" not in operation.path:
        return position
    channel = rows.find(installed().directory, ACME, CHANNEL)
    assert channel is not None
    return f"{channel.log.removeprefix('@')}_{position}"


def _ask(stack: Stack, event: Event) -> Any:
    found = routes.match(event["httpMethod"], event["path"])
    assert found is not None
    return stack.invoke(found[0].function, event)


def _cursor(*places: Place) -> str:
    return Cursor(execution_id=CLAIMED, sequence=1, places=places).text(LogKey(ACME, CLAIMED))


def _a_cursor_of_another_stream(_stack: Stack, _operation: Operation, event: Event) -> Event:
    return with_query(event, after="01X:1:AAAA")


def _a_cursor_into_what_has_expired(stack: Stack, operation: Operation, event: Event) -> Event:
    return with_query(_everything_has_expired(stack, operation, event), after=_cursor(Place(position=1)))


def _a_crowd_of_children(stack: Stack, _operation: Operation, event: Event) -> Event:
    def decide(draft: Draft) -> None:
        for position in range(100, 201):
            command = StartChild(position=position, name="pack", kind="order", input=None, queue="default")
            child.initiate(draft, command)

    append.transact(stack.services, LogKey(ACME, CLAIMED), decide)
    return event


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
    "TICKET_EXPIRED": _with_an_expired_ticket,
    "TICKET_OUT_OF_SCOPE": _with_a_ticket_for_a_channel,
    "FEED_EXPIRED": _the_feed_is_as_old_as_it_gets,
    "BUSY": _everyone_writes,
    "CHANNEL_NOT_FOUND": _unknown("name", "unknown"),
    "CHANNEL_EXISTS": _the_same_name_made_otherwise,
    "CHANNEL_CLOSED": _the_channel_is_closed,
    "CONTENT_TYPE_MISMATCH": _in_the_head(Content_Type="text/plain"),
    "SEQUENCE_REGRESSION": _behind_another(Stream_Seq="1"),
    "STALE_EPOCH": _behind_another(Producer_Id="p", Producer_Epoch="1", Producer_Seq="0"),
    "PRODUCER_GAP": _in_the_head(Producer_Id="p", Producer_Epoch="0", Producer_Seq="1"),
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
    ("streamTree", "INVALID_CURSOR"): _a_cursor_of_another_stream,
    ("streamTree", "CURSOR_EXPIRED"): _a_cursor_into_what_has_expired,
    ("streamTree", "TOO_MANY_DESCENDANTS"): _a_crowd_of_children,
    ("retryExecution", "EXECUTION_EXPIRED"): _of_an_expired_execution,
    ("getTask", "EXECUTION_EXPIRED"): _a_task_of_an_expired_execution,
    ("cancelTask", "EXECUTION_CLOSED"): _the_task_is_done,
    ("cancelTask", "INVALID_INPUT"): _too_long_a_reason,
    ("heartbeatTask", "EXECUTION_CLOSED"): _the_execution_has_completed,
    ("signalWithStart", "IDEMPOTENCY_KEY_REUSED"): _a_key_of_another_kind,
    ("signalWithStart", "BUSY"): _everyone_signals,
    ("createSchedule", "SCHEDULE_EXISTS"): _the_same_id,
    ("updateSchedule", "SCHEDULE_CHANGED"): _somebody_has_changed_it,
    ("triggerSchedule", "UNKNOWN_WORKFLOW_KIND"): _a_kind_that_is_known_no_more,
    ("resumeSchedule", "BUSY"): _everyone_changes_a_paused_one,
    ("createStreamTicket", "STORE_UNAVAILABLE"): _for_an_execution_while_the_stores_are_away,
    ("createStreamTicket", "EXECUTION_NOT_FOUND"): _a_ticket_for("execution", NOBODY),
    ("createStreamTicket", "TASK_NOT_FOUND"): _a_ticket_for("task", f"{NOBODY}.t1"),
    ("createStreamTicket", "TASK_OF_WORKFLOW"): _a_ticket_for("task", CLAIMED_TASK),
    ("getQueue", "INVALID_INPUT"): _unknown("queue", _NONSENSE),
    ("getExecutionState", "STATE_TOO_LARGE"): _much_state,
    ("createChannel", "BUSY"): _the_name_changes_hands,
    ("deleteChannel", "BUSY"): _the_name_changes_hands,
    ("createChannel", "MALFORMED_JSON"): _half_a_message,
    ("createChannel", "INVALID_INPUT"): _in_the_head(Stream_TTL="soon"),
    ("createChannel", "PAYLOAD_TOO_LARGE"): _more_than_a_message_may_have,
    ("appendToChannel", "MALFORMED_JSON"): _half_a_message,
    ("appendToChannel", "INVALID_INPUT"): _in_the_head(Producer_Seq="first"),
    ("appendToChannel", "PAYLOAD_TOO_LARGE"): _more_than_a_message_may_have,
    ("readChannel", "POSITION_BEYOND_TAIL"): _an_offset_beyond_the_end,
    ("readChannel", "CURSOR_EXPIRED"): _an_offset_of_an_earlier_one,
    ("readChannel", "TICKET_OUT_OF_SCOPE"): _with_a_ticket_for_the_feed,
    ("findChannel", "TICKET_OUT_OF_SCOPE"): _with_a_ticket_for_the_feed,
    ("readFeedStream", "POSITION_BEYOND_TAIL"): _an_offset_beyond_the_end,
    ("readExecutionStream", "POSITION_BEYOND_TAIL"): _an_offset_beyond_the_end,
    ("readExecutionStream", "EXECUTION_EXPIRED"): _the_beginning_of_what_has_expired,
    ("readExecutionStream", "CURSOR_EXPIRED"): _an_offset_in_the_middle_of_what_has_expired,
    ("logTask", "TASK_LOG_FULL"): _no_logs_are_kept,
    ("streamTask", "STREAM_LIMIT_REACHED"): _one_value_is_all_there_may_be,
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


def from_the_end_of_a_tree(stack: Stack, _operation: Operation, event: Event) -> Event:
    """The same of one that follows all descendants."""
    cancel(stack.services, ACME, CLAIMED, force=True)
    return with_query(event, after=_cursor())


def from_the_end_of_a_task(stack: Stack, operation: Operation, event: Event) -> Event:
    """The same of a standalone task."""
    return with_query(_not_resumed(_the_task_is_done(stack, operation, event)), after="3")


def _not_resumed(event: Event) -> Event:
    """Without `Last-Event-ID`, which beats `after`."""
    headers = {name: value for name, value in event["headers"].items() if name.lower() != "last-event-id"}
    return {**event, "headers": headers}


def _as_held_for(stack: Stack, operation: Operation, event: Event) -> Event:
    """A reader that waits at the end for what does not come."""
    return with_query(event, live="long-poll", offset="now")


def _as_had(stack: Stack, operation: Operation, event: Event) -> Event:
    """A reader that has it."""
    first = _ask(stack, request_of(operation))
    return {**event, "headers": {**event["headers"], "If-None-Match": first.headers["etag"]}}


def _made_before(stack: Stack, operation: Operation, event: Event) -> Event:
    assert _ask(stack, request_of(operation))["statusCode"] == 201
    return event


def _as_producer(_stack: Stack, _operation: Operation, _event: Event) -> Event:
    return sample("channels/append-as-producer")


def _without_a_producer(_stack: Stack, _operation: Operation, _event: Event) -> Event:
    return sample("channels/append")


SUCCESSES: dict[tuple[str, int], Way] = {
    **{(f"read{name}", 204): _as_held_for for name in ("ExecutionStream", "FeedStream", "Channel")},
    **{(f"read{name}", 304): _as_had for name in ("ExecutionStream", "FeedStream", "Channel")},
    ("createChannel", 200): _made_before,
    ("appendToChannel", 200): _as_producer,
    ("appendToChannel", 204): _without_a_producer,
    ("startExecution", 200): again,
    ("signalWithStart", 200): again,
    ("retryExecution", 200): again,
    ("streamEvents", 204): from_the_end,
    ("streamTree", 204): from_the_end_of_a_tree,
    ("startTask", 200): again,
    ("streamTaskEvents", 204): from_the_end_of_a_task,
}
"""How each documented success is had that the route's sample does not have."""
