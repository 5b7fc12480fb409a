"""`tasks`: register workers, hand out tasks and take their reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.telemetry import observed
from flowstrand.http.application import Application
from flowstrand.http.routes import payloads, tasks, workers
from flowstrand.service.keys import Principal

application = Application(
    "tasks",
    Principal.WORKER,
    [workers.router, tasks.router, payloads.worker_router],
    composition.services,
)


@observed("tasks")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return application.resolve(event, context)
