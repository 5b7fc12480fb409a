"""`authorizer`: who the bearer of a credential or a ticket is, before any other function runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import caller_composition, composition
from flowstrand.aws.telemetry import observed
from flowstrand.http.authorizer import Authorizer
from flowstrand.jsonvalue import JsonObject

authorizer = Authorizer(caller_composition.callers(), composition.tickets, caller_composition.usage_keys())


@observed("authorizer")
def lambda_handler(event: Mapping[str, Any], context: object) -> JsonObject:
    """Answer an API Gateway REQUEST authorizer event."""
    return authorizer.policy_for(event)
