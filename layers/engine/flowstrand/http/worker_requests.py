"""Request bodies of the routes of workers, beside their registration."""

from __future__ import annotations

from typing import Literal

from flowstrand.http.body import RequestBody


class WorkerHeartbeat(RequestBody):
    """`POST /workers/{id}/heartbeat`: the worker is there, though it does not poll just now."""

    state: Literal["RUNNING", "PAUSED", "DRAINING", "STOPPED"] = "RUNNING"
