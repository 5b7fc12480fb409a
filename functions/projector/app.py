"""`projector`: follow the tables' streams, and on schedule sweep, mend what a stream has not told, and watch for what stalls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.table_stream import handle_records
from flowstrand.aws.telemetry import observed
from flowstrand.service import mending, sweep, watch
from flowstrand.service.container import Services


@observed("projector")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Handle a DynamoDB stream batch, or the scheduled event that asks for a sweep."""
    services = composition.services()
    if event.get("detail-type") == "Scheduled Event":
        return _sweep(services)
    return handle_records(services, event)


def _sweep(services: Services) -> dict[str, Any]:
    woken, mended, watched = sweep.run(services), mending.run(services), watch.run(services)
    return {"woken": woken, "projected": mended.projected, "stalled": watched.stalled}
