"""Settling promises from outside: the first settles, a repetition is told so."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids
from flowstrand.engine.effects import needs_wake
from flowstrand.engine.events import ErrorInfo, PromiseRejected, PromiseResolved, PromiseTimedOut
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.outcome import clipped
from flowstrand.errors import Conflict, NotFound
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append, inbox, payloads, promise_keys, requests
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
    return _settle(services, tip, requests.Settlement(position=position, value=stored))


def reject(services: Services, org: OrgId, promise_id: str, error: ErrorInfo) -> Settled:
    """Settle a promise with a failure. Arguments, answers and errors as for `resolve`."""
    tip, position = _locate(services, org, promise_id)
    return _settle(services, tip, requests.Settlement(position=position, error=clipped(error)))


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


def _settle(services: Services, tip: append.Tip, request: requests.Settlement) -> Settled:
    try:
        appended = append.transact(
            services,
            tip.key,
            partial(requests.decide, request=request),
            tip=tip,
            conflicts=services.settings.append_attempts_before_inbox,
        )
    except append.Contended as contended:
        return _through_inbox(services, contended, request)
    sequence = appended.sequence
    if sequence is None:
        return _settled_before(services, appended.tip, request.position)
    if needs_wake(appended.tip.state, sequence):
        wake(services, tip.key, sequence)
    return Settled(sequence=sequence, already_settled=False)


def _through_inbox(services: Services, contended: append.Contended, request: requests.Settlement) -> Settled:
    """Leave the settlement to the resumer, and wait for what becomes of it."""
    request = replace(request, request_id=services.random_bytes(12).hex())
    is_taken = inbox.leave(services, contended.tip, request)
    sequence = requests.recorded_at(services, contended.tip, request)
    if sequence is not None:
        return Settled(sequence=sequence, already_settled=False)
    if not is_taken:
        raise append.unavailable(contended) from contended
    tip, _ = append.catch_up(services, contended.tip)
    return _settled_before(services, tip, request.position)


def _settled_before(services: Services, tip: append.Tip, position: int) -> Settled:
    """Somebody else settled it, or its timeout did. Woken again: whoever it was may have ended before the wake."""
    sequence = _settled_at(services, tip, position)
    wake(services, tip.key, sequence)
    return Settled(sequence=sequence, already_settled=True)


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
