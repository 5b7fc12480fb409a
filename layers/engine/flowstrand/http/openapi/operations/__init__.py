"""Every operation, one module for each module of routes."""

from flowstrand.http.openapi.operation import Operation
from flowstrand.http.openapi.operations import (
    definitions,
    executions,
    payloads,
    promises,
    queues,
    reading,
    schedules,
    standalone,
    streams,
    tasks,
    tickets,
    work,
    workers,
)

OPERATIONS: tuple[Operation, ...] = (
    *executions.OPERATIONS,
    *work.OPERATIONS,
    *reading.OPERATIONS,
    *tickets.OPERATIONS,
    *promises.OPERATIONS,
    *schedules.OPERATIONS,
    *definitions.OPERATIONS,
    *workers.OPERATIONS,
    *queues.OPERATIONS,
    *tasks.OPERATIONS,
    *standalone.OPERATIONS,
    *streams.OPERATIONS,
    *payloads.OPERATIONS,
)
