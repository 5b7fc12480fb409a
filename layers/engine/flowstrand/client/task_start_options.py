"""What may be said when a standalone task is started, beside the task and its input."""

from __future__ import annotations

from flowstrand.client.start_options import TraceOptions
from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.duration import Duration
from flowstrand.sdk.task_options import TaskKeywords


class TaskStartOptions(TaskKeywords, TraceOptions, total=False):
    """Options of `start_task`: retry, timeout, start_to_close, heartbeat_timeout, queue and priority as for `ctx.schedule`.

    Attributes:
        metadata: shown with the task; at most 8 KB of JSON.
        idempotency_key: a name for what is started, at most 200 characters: while it stands for a task, that is returned and
            nothing is started. A start that has one is repeated on network errors.
        idempotency_key_ttl: how long the key stands for a task that has completed, in whole seconds or a timedelta, from a
            second to thirty days; a day by default.
    """

    metadata: JsonObject | None
    idempotency_key: str | None
    idempotency_key_ttl: Duration | None
