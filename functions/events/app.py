"""`events`: history and long-poll."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.telemetry import observed
from flowstrand.http.application import Application
from flowstrand.http.routes import reading
from flowstrand.service.keys import Principal

application = Application(
    "events", Principal.USER, [reading.router], composition.services, scope_of=reading.scope_of
)


@observed("events")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return application.resolve(event, context)
