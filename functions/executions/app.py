"""`executions`: executions, tasks, promises and schedules as users start, see and change them; queues, payloads, stream tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.telemetry import observed
from flowstrand.http.application import Application
from flowstrand.http.later_routes import LaterRoutes
from flowstrand.http.routes import executions, listing, work
from flowstrand.service.keys import Principal

application = Application(
    "executions",
    Principal.USER,
    [
        executions.router,
        listing.router,
        work.router,
        LaterRoutes("flowstrand.http.routes.definitions", ("workflow-definitions", "task-definitions")),
        LaterRoutes("flowstrand.http.routes.payloads", ("payloads",)),
        LaterRoutes("flowstrand.http.routes.present_workers", ("workers",)),
        LaterRoutes("flowstrand.http.routes.promises", ("promises",)),
        LaterRoutes("flowstrand.http.routes.queues", ("queues",)),
        LaterRoutes("flowstrand.http.routes.schedules", ("schedules",)),
        LaterRoutes("flowstrand.http.routes.standalone", ("task-executions",)),
        LaterRoutes("flowstrand.http.routes.stream_tickets", ("stream-tickets",)),
    ],
    composition.services,
)


@observed("executions")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return application.resolve(event, context)
