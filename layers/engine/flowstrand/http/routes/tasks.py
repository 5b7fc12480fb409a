"""Claiming and reporting tasks."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.attempt_requests import CompleteTask, FailTask, HeartbeatTask, PollQueue, StreamChunks
from flowstrand.http.attempt_responses import ClaimedTasks, Heartbeat
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.execution_id import known_task
from flowstrand.http.response_body import Recorded
from flowstrand.http.routes.queues import queue_name
from flowstrand.http.task_log_requests import AppendLogs
from flowstrand.http.task_log_responses import LogsKept
from flowstrand.service import polling, task_logs, tasks
from flowstrand.service.chunks import append_chunks

router = Router()


@router.post(f"{ORG}/queues/<queue>/poll")
def poll(request: Request, org: str, queue: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the attempts that are now this worker's, after a wait if there were none."""
    call = call_of(request)
    settings = call.services.settings
    body = read_body(request, PollQueue, max_bytes=settings.max_payload_bytes)
    is_known = call.services.presence.heard_of(call.org, body.worker_id)
    polled = polling.poll(
        call.services,
        call.org,
        queue_name(queue),
        worker_id=body.worker_id,
        kinds=frozenset(body.kinds),
        limit=body.max,
        wait_s=min(body.wait, settings.long_poll_ms / 1_000),
    )
    return json_response(200, ClaimedTasks.of(polled, is_worker_known=is_known).body())


@router.post(f"{ORG}/task-executions/<task_id>/complete")
def complete(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the sequence of the `TASK_COMPLETED`."""
    call = call_of(request)
    body = read_body(request, CompleteTask, max_bytes=call.services.settings.max_payload_bytes)
    sequence = tasks.complete(
        call.services, call.org, known_task(task_id), lease_token=body.lease_token, output=body.output
    )
    return json_response(200, Recorded(sequence=sequence).body())


@router.post(f"{ORG}/task-executions/<task_id>/fail")
def fail(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the sequence of the `TASK_FAILED`."""
    call = call_of(request)
    body = read_body(request, FailTask, max_bytes=call.services.settings.max_payload_bytes)
    sequence = tasks.fail(
        call.services,
        call.org,
        known_task(task_id),
        lease_token=body.lease_token,
        error=body.error.to_info(),
        retryable=body.retryable,
    )
    return json_response(200, Recorded(sequence=sequence).body())


@router.post(f"{ORG}/task-executions/<task_id>/heartbeat")
def heartbeat(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the lease lasts longer, and whether the worker should stop."""
    call = call_of(request)
    body = read_body(request, HeartbeatTask, max_bytes=call.services.settings.max_payload_bytes)
    requested = tasks.heartbeat(
        call.services,
        call.org,
        known_task(task_id),
        lease_token=body.lease_token,
        details=body.details,
        progress=body.progress,
    )
    return json_response(200, Heartbeat(cancel_requested=requested).body())


@router.post(f"{ORG}/task-executions/<task_id>/stream")
def stream(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the sequence of the last chunk's event."""
    call = call_of(request)
    body = read_body(request, StreamChunks, max_bytes=call.services.settings.max_payload_bytes)
    sequence = append_chunks(
        call.services,
        call.org,
        known_task(task_id),
        lease_token=body.lease_token,
        chunks=[chunk.to_chunk() for chunk in body.chunks],
        request_id=body.request_id,
    )
    return json_response(200, Recorded(sequence=sequence).body())


@router.post(f"{ORG}/task-executions/<task_id>/logs")
def log(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the records are kept, and how many more batches may be."""
    call = call_of(request)
    body = read_body(request, AppendLogs, max_bytes=call.services.settings.max_payload_bytes)
    left = task_logs.append(
        call.services,
        call.org,
        known_task(task_id),
        lease_token=body.lease_token,
        batch=body.batch,
        records=[record.to_record() for record in body.records],
    )
    return json_response(200, LogsKept(batches_left=left).body())
