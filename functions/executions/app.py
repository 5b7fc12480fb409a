"""`executions`: executions, tasks, promises and schedules as users start, see and change them; queues, payloads, stream tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.telemetry import observed
from flowstrand.http.application import Application
from flowstrand.http.routes import (
    definitions,
    executions,
    listing,
    payloads,
    present_workers,
    promises,
    queues,
    schedules,
    standalone,
    stream_tickets,
    work,
)
from flowstrand.service.keys import Principal

application = Application(
    "executions",
    Principal.USER,
    [
        executions.router,
        listing.router,
        work.router,
        definitions.router,
        promises.router,
        schedules.router,
        standalone.router,
        payloads.router,
        present_workers.router,
        queues.router,
        stream_tickets.router,
    ],
    composition.services,
)


@observed("executions")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return application.resolve(event, context)
