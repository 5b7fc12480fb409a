"""Starting, looking at, signalling, cancelling and retrying executions."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.execution_id import known
from flowstrand.http.execution_requests import (
    CancelExecution,
    RetryExecution,
    SignalExecution,
    SignalWithStart,
    StartExecution,
)
from flowstrand.http.execution_responses import (
    ExecutionRetried,
    ExecutionStarted,
    ExecutionView,
    SignalledWithStart,
    SignalRecorded,
)
from flowstrand.http.idempotency_key import ttl_to_ms
from flowstrand.http.response_body import Recorded
from flowstrand.http.trace_headers import trace_of
from flowstrand.service import cancel as cancellation
from flowstrand.service import executions, retrying, signals
from flowstrand.service.signal_with_start import signal_with_start
from flowstrand.service.start_once import start_once

router = Router()


@router.post(f"{ORG}/workflow-executions")
def start(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: an execution began; 200: the idempotency key stands for this one."""
    call = call_of(request)
    body = read_body(request, StartExecution, max_bytes=call.services.settings.max_payload_bytes)
    if body.idempotency_key is None:
        snapshot = executions.start(call.services, call.org, body.to_request(trace_of(request)))
        return _started(201, ExecutionStarted.of(call.org, snapshot))
    started = start_once(
        call.services,
        call.org,
        body.to_request(trace_of(request)),
        body.idempotency_key,
        ttl_ms=ttl_to_ms(body.idempotency_key_ttl),
    )
    answer = ExecutionStarted.of(call.org, started.snapshot, is_keyed=True, is_key_new=started.is_new)
    return _started(201 if started.is_new else 200, answer)


@router.post(f"{ORG}/workflow-executions/signal-with-start")
def signal_or_start(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: an execution began with the signal; 200: the open one that the key stands for has it."""
    call = call_of(request)
    body = read_body(request, SignalWithStart, max_bytes=call.services.settings.max_payload_bytes)
    signalled = signal_with_start(
        call.services, call.org, body.to_request(trace_of(request)), body.workflow_id, body.to_signal()
    )
    return _started(201 if signalled.is_new else 200, SignalledWithStart.told(call.org, signalled))


@router.get(f"{ORG}/workflow-executions/<execution_id>")
def get(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the execution as it stands."""
    call = call_of(request)
    snapshot = executions.get(call.services, call.org, known(execution_id))
    return json_response(200, ExecutionView.of(call.org, snapshot).body())


@router.post(f"{ORG}/workflow-executions/<execution_id>/signal")
def signal(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the sequence of the `SIGNAL_RECEIVED`."""
    call = call_of(request)
    body = read_body(request, SignalExecution, max_bytes=call.services.settings.max_payload_bytes)
    sequence = signals.signal(
        call.services,
        call.org,
        known(execution_id),
        body.signal_name,
        body.signal_value,
        request_id=body.request_id,
    )
    return json_response(200, SignalRecorded(signal_event_sequence=sequence).body())


@router.post(f"{ORG}/workflow-executions/<execution_id>/cancel")
def cancel(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the sequence of the `CANCELLATION_REQUESTED`."""
    call = call_of(request)
    body = read_body(request, CancelExecution, max_bytes=call.services.settings.max_payload_bytes)
    sequence = cancellation.cancel(
        call.services,
        call.org,
        known(execution_id),
        reason=body.reason,
        cascade=body.cascade_to_children,
        force=body.force,
        request_id=body.request_id,
    )
    return json_response(200, Recorded(sequence=sequence).body())


@router.post(f"{ORG}/workflow-executions/<execution_id>/retry")
def retry(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: an execution began with the history of this one; 200: this request had that begun before."""
    call = call_of(request)
    body = read_body(request, RetryExecution, max_bytes=call.services.settings.max_payload_bytes)
    retried = retrying.retry(
        call.services, call.org, known(execution_id), reason=body.reason, request_id=body.request_id
    )
    answer = ExecutionRetried.of(call.org, retried.snapshot)
    location = {"Location": answer.links.itself}
    return json_response(201 if retried.is_new else 200, answer.body(), location)


def _started(status: int, started: ExecutionStarted) -> Response[str]:
    return json_response(status, started.body(), {"Location": started.links.itself})
