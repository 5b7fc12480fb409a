"""`resumer`: handle wakes and due messages; a message that fails comes again, alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.aws import composition
from flowstrand.aws.control_batch import handle_batch
from flowstrand.aws.telemetry import observed


@observed("resumer")
def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Handle an SQS batch of the control queue."""
    return handle_batch(composition.services(), event)
