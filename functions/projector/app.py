"""`projector`: follow the tables' streams, and on schedule sweep, and mend what a stream has not told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.table_stream import handle_records
from flowstrand.aws.telemetry import observed
from flowstrand.service import mending, sweep


@observed("projector")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Handle a DynamoDB stream batch, or the scheduled event that asks for a sweep."""
    services = composition.services()
    if event.get("detail-type") == "Scheduled Event":
        return {"woken": sweep.run(services), "projected": mending.run(services)}
    return handle_records(services, event)
