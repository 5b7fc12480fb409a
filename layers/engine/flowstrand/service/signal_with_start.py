"""Signal an execution by its key, and start it first where none is open: a message that finds whom it is for.

The key is an idempotency key. Whoever begins the execution writes its own signal into the first commit, so that no execution
is begun without the reason for it; everybody else's signals come behind that.
"""

from __future__ import annotations

from dataclasses import replace

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import SignalReceived
from flowstrand.engine.ids import OrgId
from flowstrand.errors import Conflict
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import append, executions, idempotency, payloads, quotas, signals
from flowstrand.service.container import Services
from flowstrand.service.executions import ExecutionSnapshot, StartRequest
from flowstrand.service.idempotency import Held
from flowstrand.service.start_once import require_same_kind

_SEQUENCE_IN_FIRST_COMMIT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal to send; `request_id` makes a repetition of it a no-op with the same answer."""

    name: str
    value: JsonValue
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalledWithStart:
    """The execution whose log has the signal, the sequence it has there, and whether this call began that."""

    snapshot: ExecutionSnapshot
    sequence: int
    is_new: bool


def signal_with_start(
    services: Services, org: OrgId, request: StartRequest, key: str, signal: Signal
) -> SignalledWithStart:
    """Record a signal in the open execution that `key` stands for, or in the first commit of a new one.

    A key whose execution has ended, however it did, is given to a new one, unless that has this very request. The input and
    the other options of the start are for an execution that is begun, and make no difference to one that is open.

    Raises:
        Conflict: `IDEMPOTENCY_KEY_REUSED`: the key stands for an open execution of another kind; nothing is recorded.
        NotFound: `UNKNOWN_WORKFLOW_KIND`: no deployed app or registration knows the kind; nothing is recorded.
        PayloadTooLarge: the input or the value is over the limit; nothing is recorded.
        UnprocessableInput: the input does not fit the workflow's schema, wanted or not; nothing is recorded.
        QuotaExceeded: the org has started too much; nothing is recorded.
        Unavailable, StoreUnavailable: it may or may not have been recorded; send it again.
    """
    executions.require_startable(services, org, request)
    payloads.require_storable(services, signal.value, org=org)
    quotas.require_start(services, org)

    def gives_way(chain: tuple[append.Tip, ...], _has_expired: bool) -> bool:
        return chain[-1].state.closed is not None and not _is_recorded(chain, signal)

    while True:
        held = idempotency.hold(services, org, key, ttl_ms=idempotency.DEFAULT_TTL_MS, gives_way=gives_way)
        if held.chain:
            require_same_kind(held.chain[0], request.kind)
        chain = _chain_to_signal(services, org, held, signal)
        answer = (
            _deliver(services, chain, signal)
            if chain
            else _begin(services, LogKey(org, held.execution_id), replace(request, idempotency_key=key), signal)
        )
        if answer is not None:
            return answer


def _is_recorded(chain: tuple[append.Tip, ...], signal: Signal) -> bool:
    return signal.request_id is not None and any(signal.request_id in tip.state.requests for tip in chain)


def _chain_to_signal(services: Services, org: OrgId, held: Held, signal: Signal) -> tuple[append.Tip, ...]:
    """The logs among which the signal belongs; none where an execution is to be begun with it.

    They are those of the execution before this one, where they have recorded this request: its answer was lost.
    """
    if signal.request_id is None or held.before is None or _is_recorded(held.chain, signal):
        return held.chain
    before = idempotency.chain_of(services, org, held.before)
    return before if _is_recorded(before, signal) else held.chain


def _begin(services: Services, key: LogKey, request: StartRequest, signal: Signal) -> SignalledWithStart | None:
    """Begin the execution with the signal; None where somebody else has begun it."""
    event = SignalReceived(name=signal.name, value=signal.value, request_id=signal.request_id)
    tip = executions.begin(services, key, request, event)
    if tip is None:
        return None
    return SignalledWithStart(
        snapshot=executions.snapshot(services, tip), sequence=_SEQUENCE_IN_FIRST_COMMIT, is_new=True
    )


def _deliver(services: Services, chain: tuple[append.Tip, ...], signal: Signal) -> SignalledWithStart | None:
    """Record the signal in the log that goes on from the beginning of `chain`; None where that has just ended."""
    try:
        delivered = signals.deliver(services, chain[0], signal.name, signal.value, request_id=signal.request_id)
    except Conflict:
        return None
    snapshot = executions.get(services, chain[0].key.org, delivered.execution_id)
    return SignalledWithStart(snapshot=snapshot, sequence=delivered.sequence, is_new=False)
