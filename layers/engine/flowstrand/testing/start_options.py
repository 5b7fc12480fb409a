"""What may be said when an execution is started under test, beside its workflow and input."""

from __future__ import annotations

from typing import TypedDict

from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.duration import Duration


class ExecutionOptions(TypedDict, total=False):
    """What a new execution may be given, however it begins.

    Attributes:
        queue: where its tasks wait unless they name a queue themselves; `default` by default.
        version: the author's own mark on the execution.
        metadata: shown with the execution.
        timeout: how long it may take, in virtual time (seconds, or a timedelta); for ever by default.
    """

    queue: str
    version: str | None
    metadata: JsonObject | None
    timeout: Duration | None


class StartOptions(ExecutionOptions, total=False):
    """Options of `start` and `start_and_wait`.

    Attributes:
        id: of the execution; a new one by default.
        idempotency_key: a name for what is started: while it stands for an execution, that is returned and nothing is
            started. Not together with `id`.
        idempotency_key_ttl: how long the key stands for an execution that has completed, in virtual time; a day by default.
    """

    id: str | None
    idempotency_key: str | None
    idempotency_key_ttl: Duration | None
