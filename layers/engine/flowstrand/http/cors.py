"""CORS: what lets pages of another origin use this API. Nothing here goes by cookies, so an origin proves nothing and gets nothing.

API Gateway answers preflights (see the stack's template); the local server does both.
"""

from __future__ import annotations

import os

ALLOWED_ORIGIN = "FLOWSTRAND_ALLOWED_ORIGIN"
"""The variable that holds an origin, or `*` for any; without it, answers name none and browsers keep them from pages."""

REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-None-Match",
    "Last-Event-ID",
    "Producer-Epoch",
    "Producer-Id",
    "Producer-Seq",
    "Stream-Closed",
    "Stream-Expires-At",
    "Stream-Seq",
    "Stream-TTL",
    "traceparent",
    "tracestate",
)
"""What pages may send."""
RESPONSE_HEADERS = (
    "ETag",
    "Location",
    "Producer-Epoch",
    "Producer-Expected-Seq",
    "Producer-Received-Seq",
    "Producer-Seq",
    "Retry-After",
    "Stream-Closed",
    "Stream-Cursor",
    "Stream-Expires-At",
    "Stream-Next-Offset",
    "Stream-SSE-Data-Encoding",
    "Stream-TTL",
    "Stream-Up-To-Date",
)
"""What pages may read, beside what they always may."""
MAX_AGE_S = 7_200
"""How long a browser may keep the answer to a preflight: as long as any does."""


def cors_headers() -> dict[str, str]:
    """What every answer has, whatever it is."""
    origin = os.environ.get(ALLOWED_ORIGIN)
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": ", ".join(RESPONSE_HEADERS),
    }
