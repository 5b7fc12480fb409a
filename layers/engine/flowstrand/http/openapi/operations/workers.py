"""Registering workers, hearing of them, and looking at them."""

from __future__ import annotations

from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import INVALID_SCHEMA, WORKER_NOT_FOUND
from flowstrand.http.worker_query import WorkerQuery
from flowstrand.http.worker_requests import RegisterWorker, WorkerHeartbeat
from flowstrand.http.worker_responses import WorkerRegistered, WorkerSeen, WorkersFound
from flowstrand.service.keys import Principal

TAG = "workers"

OPERATIONS = (
    Operation(
        method="GET",
        path="/workers",
        name="listWorkers",
        tag=TAG,
        summary="Workers that were heard of lately, by id",
        description="A page may hold fewer than asked for, or none, and yet have a `nextAfter`.",
        principal=Principal.USER,
        query=WorkerQuery,
        answers={200: Answer(meaning="A page.", body=WorkersFound)},
    ),
    Operation(
        method="POST",
        path="/workers",
        name="registerWorker",
        tag=TAG,
        summary="Register a worker and what it serves",
        principal=Principal.WORKER,
        body=RegisterWorker,
        answers={201: Answer(meaning="The worker is known.", body=WorkerRegistered)},
        refusals=(INVALID_SCHEMA,),
    ),
    Operation(
        method="POST",
        path="/workers/{workerId}/heartbeat",
        name="heartbeatWorker",
        tag=TAG,
        summary="Say that a worker is there though it does not poll, and what it is doing",
        principal=Principal.WORKER,
        body=WorkerHeartbeat,
        answers={200: Answer(meaning="It is known.", body=WorkerSeen)},
        refusals=(WORKER_NOT_FOUND,),
    ),
)
