"""`PersistentServer`: the API, asked again and again until it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import httpx2
import stamina

from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.server import AttemptServer
from flowstrand.client import answers
from flowstrand.client.answers import is_transient
from flowstrand.engine.chunk import Chunk
from flowstrand.engine.task_log import LogRecord
from flowstrand.errors import QuotaExceeded, Unauthenticated, WrongPrincipal
from flowstrand.jsonvalue import JsonValue
from flowstrand.worker.api import WorkerApi

T = TypeVar("T")

_LONGEST_WAIT_S = 15
_HEARTBEATS = 3


class PersistentServer(AttemptServer):
    """An `AttemptServer` over HTTPS. It gives up only when it is cancelled, or when its worker is."""

    def __init__(self, api: WorkerApi) -> None:
        self._api = api

    async def complete(self, task: ClaimedTask, output: JsonValue) -> None:
        """See `AttemptServer.complete`."""
        await _until_answered(lambda: self._api.complete(task, output))

    async def fail(
        self, task: ClaimedTask, *, type: str, message: str, stack: str | None, retryable: bool
    ) -> None:
        """See `AttemptServer.fail`."""
        await _until_answered(
            lambda: self._api.fail(task, type=type, message=message, stack=stack, retryable=retryable)
        )

    async def stream(self, task: ClaimedTask, chunks: Sequence[Chunk], *, request_id: str) -> None:
        """See `AttemptServer.stream`."""
        await _until_answered(lambda: self._api.stream(task, chunks, request_id=request_id))

    async def log(self, task: ClaimedTask, batch: int, records: Sequence[LogRecord]) -> int:
        """See `AttemptServer.log`. One try: whoever logs sends the same again."""
        return await self._api.log(task, batch, records)

    async def heartbeat(self, task: ClaimedTask, details: JsonValue = None, progress: float | None = None) -> bool:
        """A few tries: another heartbeat follows soon."""
        try:
            async for attempt in stamina.retry_context(on=is_transient, attempts=_HEARTBEATS):
                with attempt:
                    return await self._api.heartbeat(task, details, progress)
        except httpx2.TransportError as error:
            raise answers.unreachable(error, "the server") from error
        return False

    async def input_of(self, task: ClaimedTask) -> JsonValue:
        """See `AttemptServer.input_of`."""
        return await _until_answered(lambda: self._api.input_of(task))

    async def keep(self, task: ClaimedTask, body: bytes) -> JsonValue:
        """See `AttemptServer.keep`."""
        return await _until_answered(lambda: self._api.keep(task, body))


async def _until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    async for attempt in stamina.retry_context(
        on=_is_worth_repeating, attempts=None, timeout=None, wait_max=_LONGEST_WAIT_S
    ):
        with attempt:
            return await ask()
    raise AssertionError("unreachable")


def _is_worth_repeating(error: Exception) -> bool | float:
    """Also a refused credential: the authorizer denies while it cannot reach its store, and a key may be put back."""
    if isinstance(error, QuotaExceeded) and error.retry_after_s:
        return float(error.retry_after_s)
    return isinstance(error, QuotaExceeded | Unauthenticated | WrongPrincipal) or is_transient(error)
