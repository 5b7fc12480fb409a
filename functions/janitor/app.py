"""`janitor`: let logs expire whose time has come, on schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.telemetry import observed
from flowstrand.service import janitor

RUN_MS = 8 * 60_000
"""How long one run may take; the function's timeout is longer."""


@observed("janitor")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Deal with what is due; what is left is left to the next run."""
    services = composition.services()
    return asdict(janitor.run(services, until_ms=services.clock.now_ms() + RUN_MS))
