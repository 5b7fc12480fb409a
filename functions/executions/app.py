"""`executions`: start and look at executions, and at what can be started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.http.application import Application
from flowstrand.http.routes import definitions, executions
from flowstrand.service.keys import Principal

application = Application(
    "executions", Principal.USER, [executions.router, definitions.router], composition.services
)


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return application.resolve(event, context)
