"""Registering workers."""

from __future__ import annotations

from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import INVALID_SCHEMA
from flowstrand.http.requests import RegisterWorker
from flowstrand.http.responses import WorkerRegistered
from flowstrand.service.keys import Principal

TAG = "workers"

OPERATIONS = (
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
)
