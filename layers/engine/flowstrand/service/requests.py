"""What people ask of an execution: a signal, its end, the settlement of a promise. How each is decided, and how the inbox keeps it.

A request is named, so that it is applied once by whichever way it comes: appended at once, or left in the inbox for the resumer.
"""

from __future__ import annotations

from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.decide import cancel, promise, signal
from flowstrand.engine.events import ErrorInfo, Event, EventType, PromiseRejected, PromiseResolved, SignalReceived
from flowstrand.engine.evolve import Draft
from flowstrand.engine.schema import Payload, PayloadRef, from_json, to_json
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.packing import unpack_events
from flowstrand.service import append
from flowstrand.service.container import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal; `request_id` is the sender's own, or None."""

    name: str
    value: Payload
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """The execution, or the one that it has continued as, is to end."""

    reason: str | None
    cascade: bool
    force: bool
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The promise at `position` has a value or, where `error` is given, none."""

    position: int
    value: Payload = None
    error: ErrorInfo | None = None
    request_id: str | None = None


Request: TypeAlias = Signal | Cancellation | Settlement
TYPES = frozenset({"signal", "cancel", "settle"})
"""Of inbox items that are requests."""


def decide(draft: Draft, request: Request) -> int | None:
    """Apply a request; returns the sequence of its event, recorded now or before.

    None where it is for the execution that this one has continued as, or for a promise that is open no more.

    Raises:
        Conflict: `EXECUTION_CLOSED`.
    """
    match request:
        case Signal():
            return _signal(draft, request)
        case Cancellation():
            return _cancel(draft, request)
        case Settlement():
            return _settle(draft, request)


def _signal(draft: Draft, request: Signal) -> int | None:
    is_known = request.request_id is not None and request.request_id in draft.state.requests
    if draft.state.continued_as is not None and not is_known:
        return None
    return signal.receive(draft, request.name, request.value, request_id=request.request_id)


def _cancel(draft: Draft, request: Cancellation) -> int | None:
    state = draft.state
    known = state.requests.get(request.request_id) if request.request_id is not None else None
    if known is not None and (state.closed or not request.force):
        return known
    if state.continued_as is not None:
        return None
    if request.force and state.closed is EventType.WORKFLOW_CANCELLED:
        return state.cancel_requested_at or state.sequence  # ended already, as was asked for
    cancel.cancel(
        draft,
        reason=request.reason,
        cascade=request.cascade,
        force=request.force,
        request_id=request.request_id,
    )
    return draft.state.cancel_requested_at


def _settle(draft: Draft, request: Settlement) -> int | None:
    if request.error is not None:
        settled = promise.reject(draft, request.position, request.error, request_id=request.request_id)
    else:
        settled = promise.resolve(draft, request.position, request.value, request_id=request.request_id)
    return draft.state.sequence if settled else None


def recorded_at(services: Services, tip: append.Tip, request: Signal | Settlement) -> int | None:
    """The sequence of the request's event, if it is known at `tip` or has been appended since."""
    known = tip.state.requests.get(request.request_id or "")
    if known is not None:
        return known
    for commit in services.log.read(tip.key, after=tip.state.sequence):
        for event in unpack_events(commit):
            if _names(event, request):
                return event.sequence
    return None


def _names(event: Event, request: Signal | Settlement) -> bool:
    match event.data:
        case SignalReceived(request_id=str(name)) | PromiseResolved(request_id=str(name)):
            return name == request.request_id
        case PromiseRejected(request_id=str(name)):
            return name == request.request_id
        case _:
            return False


# --- as items of the inbox ------------------------------------------------------------------------


def item_key(request: Request) -> str:
    """The same for every repetition of a request, and for no other. It must be named."""
    return f"{type(request).__name__.lower()}.{request.request_id}"


def dump(request: Request) -> JsonObject:
    """A request as an inbox item. Large values must have been stored."""
    match request:
        case Signal(name=name, value=value, request_id=request_id):
            return {"type": "signal", "name": name, "requestId": request_id} | _dump_value(value)
        case Cancellation():
            return {
                "type": "cancel",
                "reason": request.reason,
                "cascade": request.cascade,
                "force": request.force,
                "requestId": request.request_id,
            }
        case Settlement(position=position, value=value, error=error, request_id=request_id):
            body: JsonObject = {"type": "settle", "position": position, "requestId": request_id}
            return body | (_dump_value(value) if error is None else {"error": to_json(error)})


def parse(body: JsonObject) -> Request:
    """The inverse of `dump`.

    Raises:
        LogCorrupted: it is not a request.
    """
    match body:
        case {"type": "signal", "name": str(name), "requestId": str(request_id)}:
            return Signal(name=name, value=_parse_value(body), request_id=request_id)
        case {"type": "cancel", "cascade": bool(cascade), "force": bool(force), "requestId": str(request_id)}:
            reason = body.get("reason")
            return Cancellation(
                reason=None if reason is None else str(reason),
                cascade=cascade,
                force=force,
                request_id=request_id,
            )
        case {"type": "settle", "position": int(position), "requestId": str(request_id), "error": dict(error)}:
            return Settlement(position=position, error=from_json(ErrorInfo, error), request_id=request_id)
        case {"type": "settle", "position": int(position), "requestId": str(request_id)}:
            return Settlement(position=position, value=_parse_value(body), request_id=request_id)
        case _:
            raise LogCorrupted("an inbox item is not a request")


def _dump_value(value: Payload) -> JsonObject:
    """References stand beside the value, never in its place, so that no user's value can be taken for one."""
    return {"valueRef": to_json(value)} if isinstance(value, PayloadRef) else {"value": value}


def _parse_value(body: JsonObject) -> Payload:
    reference = body.get("valueRef")
    return from_json(PayloadRef, reference) if isinstance(reference, dict) else body.get("value")
