"""Request bodies of the routes of promises."""

from __future__ import annotations

from typing import Any

from flowstrand.http.attempt_requests import TaskError
from flowstrand.http.body import RequestBody


class ResolvePromise(RequestBody):
    """`POST /promises/{id}/resolve`."""

    value: Any = None


class RejectPromise(RequestBody):
    """`POST /promises/{id}/reject`."""

    error: TaskError
