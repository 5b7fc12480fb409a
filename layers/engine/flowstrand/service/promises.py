"""Settling promises from outside: the first settles, a repetition is told so."""

from __future__ import annotations

from dataclasses import dataclass

from flowstrand.engine import ids
from flowstrand.engine.decide import promise as decide
from flowstrand.engine.effects import needs_wake
from flowstrand.engine.events import ErrorInfo, PromiseRejected, PromiseResolved, PromiseTimedOut
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.outcome import clipped
from flowstrand.errors import Conflict, NotFound
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append, payloads, promise_keys
from flowstrand.service.container import Services
from flowstrand.service.waking import wake

KEY_PREFIX = "key:"
"""What an address begins with that is a promise's key and not its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a promise was settled.

    Attributes:
        sequence: of the event that settled it.
        already_settled: somebody, or its timeout, had settled it before.
    """

    sequence: int
    already_settled: bool


def resolve(services: Services, org: OrgId, promise_id: str, value: JsonValue) -> Settled:
    """Give a promise its value.

    Args:
        promise_id: its id, or `key:` and its key.

    Raises:
        NotFound: `PROMISE_NOT_FOUND`.
        Conflict: `EXECUTION_CLOSED`: its execution ended without it.
        PayloadTooLarge: the value is over the limit; nothing is recorded.
        Unavailable, StoreUnavailable: it may or may not have been recorded; ask again.
    """
    tip, position = _locate(services, org, promise_id)
    stored = payloads.store(services, org, value)
    return _settle(services, tip, position, lambda draft: decide.resolve(draft, position, stored))


def reject(services: Services, org: OrgId, promise_id: str, error: ErrorInfo) -> Settled:
    """Settle a promise with a failure. Arguments, answers and errors as for `resolve`."""
    tip, position = _locate(services, org, promise_id)
    return _settle(services, tip, position, lambda draft: decide.reject(draft, position, clipped(error)))


def _locate(services: Services, org: OrgId, promise_id: str) -> tuple[append.Tip, int]:
    if promise_id.startswith(KEY_PREFIX):
        promise_id = promise_keys.find(services, org, promise_id.removeprefix(KEY_PREFIX)) or ""
    try:
        execution, family, position = ids.owner_of(promise_id)
    except ValueError:
        raise _not_found() from None
    tip = append.load(services, LogKey(org, execution)) if family == ids.PROMISE else None
    if tip is None:
        raise _not_found()
    return append.require_whole(tip), position


def _settle(services: Services, tip: append.Tip, position: int, settle: append.Decision[bool]) -> Settled:
    try:
        appended = append.transact(services, tip.key, settle, tip=tip)
    except append.Contended as contended:
        raise append.unavailable(contended) from contended
    sequence = appended.sequence
    if sequence is None:
        sequence = _settled_at(services, appended.tip, position)
        wake(services, tip.key, sequence)
        return Settled(sequence=sequence, already_settled=True)
    if needs_wake(appended.tip.state, sequence):
        wake(services, tip.key, sequence)
    return Settled(sequence=sequence, already_settled=False)


def _settled_at(services: Services, tip: append.Tip, position: int) -> int:
    """Where the log says how the promise at `position` was settled; a read of the history, for repetitions only."""
    if position in tip.state.promises:
        raise Conflict("the execution has ended without this promise", code="EXECUTION_CLOSED")
    for commit in services.log.read(tip.key, after=0):
        for event in unpack_events(commit):
            match event.data:
                case PromiseResolved(position=at) | PromiseRejected(position=at) | PromiseTimedOut(position=at):
                    if at == position:
                        return event.sequence
                case _:
                    continue
    raise _not_found()


def _not_found() -> NotFound:
    return NotFound("there is no such promise", code="PROMISE_NOT_FOUND")
