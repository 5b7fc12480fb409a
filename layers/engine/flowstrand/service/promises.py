"""Promises, settled from outside: by id, or by the key that the author gave them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flowstrand.engine import effects, ids
from flowstrand.engine.decide import promise as decide
from flowstrand.engine.events import ErrorInfo, PromiseCreated
from flowstrand.engine.events.event import PromiseEvent
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.outcome import clipped
from flowstrand.errors import Conflict, NotFound
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import Wake
from flowstrand.service import append, payloads, promise_keys
from flowstrand.service.container import Services

KEY_PREFIX = "key:"
"""What a promise's key is written behind where an id is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a promise.

    Attributes:
        sequence: of the event that settled it.
        already_settled: whether that was somebody else's, or an earlier call.
    """

    sequence: int
    already_settled: bool


def resolve(services: Services, org: OrgId, promise_id: str, value: JsonValue) -> Settled:
    """Give a promise its value and wake its execution. Of several calls the first settles; the others change nothing.

    Args:
        promise_id: an id, or `key:` and the key given at creation.

    Raises:
        NotFound: `PROMISE_NOT_FOUND`.
        Conflict: `EXECUTION_CLOSED`: it was still open when its execution ended.
        PayloadTooLarge: the value is over the limit; nothing is recorded.
        Unavailable, StoreUnavailable: it may or may not have been recorded; do it again.
    """
    key, position = _owner_of(services, org, promise_id)
    tip = _require(services, key)
    stored = payloads.store(services, org, value)
    return _settle(services, tip, position, lambda draft: decide.resolve(draft, position, stored))


def reject(services: Services, org: OrgId, promise_id: str, error: ErrorInfo) -> Settled:
    """Fail a promise and wake its execution; otherwise as `resolve`."""
    key, position = _owner_of(services, org, promise_id)
    short = clipped(error)
    return _settle(
        services, _require(services, key), position, lambda draft: decide.reject(draft, position, short)
    )


def _settle(services: Services, tip: append.Tip, position: int, settle: Callable[[Draft], bool]) -> Settled:
    try:
        appended = append.transact(services, tip.key, settle, tip=tip)
    except append.Contended as contended:
        raise append.unavailable(contended) from None
    sequence = appended.sequence or _settled_at(services, appended.tip, position)
    if effects.needs_wake(appended.tip.state, sequence):
        wake = Wake(org=tip.key.org, execution_id=tip.key.execution_id, sequence=sequence)
        services.control.send([wake])
    return Settled(sequence=sequence, already_settled=not appended.result)


def _settled_at(services: Services, tip: append.Tip, position: int) -> int:
    """Where a promise that is not open was settled; a read of the history, for repetitions only.

    Raises:
        NotFound: there never was one.
        Conflict: its execution ended first.
    """
    is_known = False
    for commit in services.log.read(tip.key, after=0):
        for event in unpack_events(commit):
            if isinstance(event.data, PromiseEvent) and event.data.position == position:
                is_known = True
                if not isinstance(event.data, PromiseCreated):
                    return event.sequence
    if is_known:
        raise Conflict("the execution has ended", code="EXECUTION_CLOSED")
    raise _not_found()


def _owner_of(services: Services, org: OrgId, promise_id: str) -> tuple[LogKey, int]:
    if promise_id.startswith(KEY_PREFIX):
        promise_id = promise_keys.find(services, org, promise_id.removeprefix(KEY_PREFIX)) or ""
    try:
        execution, family, position = ids.owner_of(promise_id)
    except ValueError:
        raise _not_found() from None
    if family != ids.PROMISE:
        raise _not_found()
    return LogKey(org, execution), position


def _require(services: Services, key: LogKey) -> append.Tip:
    tip = append.load(services, key)
    if tip is None:
        raise _not_found()
    return tip


def _not_found() -> NotFound:
    return NotFound("there is no such promise", code="PROMISE_NOT_FOUND")
