"""The `stream` function: live Server-Sent Events, over response streaming (see `flowstrand.aws.streaming_runtime`)."""

from __future__ import annotations

from typing import Any

from flowstrand.aws.composition import services
from flowstrand.http.streaming import resolve
from flowstrand.streams.response import StreamResponse


def lambda_handler(event: dict[str, Any], context: object) -> StreamResponse:
    """Serve one API Gateway proxy event; the body follows for as long as the stream lasts."""
    return resolve(event, services)
