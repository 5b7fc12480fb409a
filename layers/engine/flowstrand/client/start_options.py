"""What may be said when an execution is started, beside its workflow and input."""

from __future__ import annotations

from typing import TypedDict

from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.duration import Duration


class StartOptions(TypedDict, total=False):
    """Options of `start`, for the overloads of both clients.

    Attributes:
        queue: where its tasks wait unless they name a queue themselves; `default` by default.
        version: the author's own mark on the execution.
        metadata: shown with the execution; at most 8 KB of JSON.
        execution_timeout: seconds or a timedelta from its start to its end; an execution that is open by then fails.
    """

    queue: str
    version: str | None
    metadata: JsonObject | None
    execution_timeout: Duration | None


class WaitOptions(StartOptions, total=False):
    """Options of `start_and_wait`.

    Attributes:
        timeout: seconds to wait for the end; for ever by default.
    """

    timeout: float | None
