"""`channels`: make, append to, close and remove channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.telemetry import observed
from flowstrand.http.application import Application
from flowstrand.http.routes import channels
from flowstrand.service.keys import Principal

application = Application("channels", Principal.USER, [channels.router], composition.services)


@observed("channels")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return application.resolve(event, context)
