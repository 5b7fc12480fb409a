"""`AttemptServer`: what an attempt asks of the server, whatever lies between the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.engine.chunk import Chunk
from flowstrand.engine.task_log import LogRecord
from flowstrand.jsonvalue import JsonValue


class AttemptServer(Protocol):
    """A refusal is raised as the `CallerError` it stands for.

    Reports and chunks are repeated until they are answered, for repeating them is a no-op: what is raised by `complete`,
    `fail` and `stream` is final.
    """

    async def complete(self, task: ClaimedTask, output: JsonValue) -> None:
        """Report success."""
        ...

    async def fail(
        self, task: ClaimedTask, *, type: str, message: str, stack: str | None, retryable: bool
    ) -> None:
        """Report failure."""
        ...

    async def stream(self, task: ClaimedTask, chunks: Sequence[Chunk], *, request_id: str) -> None:
        """Record what the task emitted."""
        ...

    async def log(self, task: ClaimedTask, batch: int, records: Sequence[LogRecord]) -> int:
        """Keep what the task logged; returns how many more batches will be kept. Repeating a batch is a no-op.

        Args:
            batch: counts those of this attempt, from 1.

        Raises:
            Exception: it was not answered; the same batch may be sent again.
        """
        ...

    async def heartbeat(self, task: ClaimedTask, details: JsonValue = None, progress: float | None = None) -> bool:
        """Renew the lease; returns whether the task's cancellation was requested.

        Args:
            details: for the next attempt.
            progress: for whoever looks at the task, from 0 to 1.

        Raises:
            Unavailable, StoreUnavailable: it was not answered; the next one may be.
        """
        ...

    async def input_of(self, task: ClaimedTask) -> JsonValue:
        """The input of a task that was claimed with something in its place."""
        ...

    async def keep(self, task: ClaimedTask, body: bytes) -> JsonValue:
        """Upload an output that is too large to be reported, as JSON; returns what to report in its place."""
        ...
