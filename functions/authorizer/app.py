"""`authorizer`: who the bearer of a key or a ticket is, before any other function runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.telemetry import observed
from flowstrand.http.authorizer import Authorizer
from flowstrand.jsonvalue import JsonObject

authorizer = Authorizer(composition.directory, composition.tickets)


@observed("authorizer")
def lambda_handler(event: Mapping[str, Any], context: object) -> JsonObject:
    """Answer an API Gateway REQUEST authorizer event."""
    return authorizer.policy_for(event)
