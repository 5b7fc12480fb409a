"""Promises: created by workflow code, settled from outside, once, or by their timeout."""

from __future__ import annotations

from typing import TypedDict

from flowstrand.engine import ids
from flowstrand.engine.events import ErrorInfo, PromiseCreated, PromiseRejected, PromiseResolved, PromiseTimedOut
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import CreatePromise
from flowstrand.engine.schema import EpochMs, Payload
from flowstrand.engine.state import OpenPromise


class _Common(TypedDict):
    promise_id: str
    position: int
    name: str


def create(draft: Draft, command: CreatePromise) -> None:
    """Record that workflow code asked for a promise."""
    draft.emit(
        PromiseCreated(
            promise_id=ids.operation_id(draft.state.workflow_execution_id, ids.PROMISE, command.position),
            position=command.position,
            name=command.name,
            key=command.key,
            timeout_at_ms=None if command.timeout_at_ms is None else EpochMs(command.timeout_at_ms),
        )
    )


def resolve(draft: Draft, position: int, value: Payload, *, request_id: str | None = None) -> bool:
    """Settle the promise with a value if it is open; says whether it was."""
    promise = _open(draft, position)
    if promise is None:
        return False
    draft.emit(PromiseResolved(**_common(promise), value=value, request_id=request_id))
    return True


def reject(draft: Draft, position: int, error: ErrorInfo, *, request_id: str | None = None) -> bool:
    """Settle the promise with a failure if it is open; says whether it was."""
    promise = _open(draft, position)
    if promise is None:
        return False
    draft.emit(PromiseRejected(**_common(promise), error=error, request_id=request_id))
    return True


def time_out(draft: Draft, position: int) -> bool:
    """Settle the promise if it is open and its timeout has passed; says whether it was."""
    promise = _open(draft, position)
    if promise is None or promise.timeout_at_ms is None or promise.timeout_at_ms > draft.now_ms:
        return False
    draft.emit(PromiseTimedOut(**_common(promise)))
    return True


def _open(draft: Draft, position: int) -> OpenPromise | None:
    return None if draft.state.closed else draft.state.promises.get(position)


def _common(promise: OpenPromise) -> _Common:
    return _Common(promise_id=promise.promise_id, position=promise.position, name=promise.name)
