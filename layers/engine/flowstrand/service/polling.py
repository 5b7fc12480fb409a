"""A worker's poll: held while there is nothing to do, within what operators have said of the queue."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.observability import meter, metrics
from flowstrand.queues.port import ReceivedTask
from flowstrand.service import queue_limits
from flowstrand.service.claims import ClaimedTask, claim_all
from flowstrand.service.container import Services

MAX_AT_ONCE = 10
"""What one receive can bring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a poll brought, possibly nothing.

    Attributes:
        is_paused: nothing, since the queue is paused.
    """

    tasks: tuple[ClaimedTask, ...] = ()
    is_paused: bool = False


def poll(
    services: Services,
    org: OrgId,
    queue: str,
    *,
    worker_id: str,
    kinds: Collection[str],
    limit: int,
    wait_s: float,
) -> Polled:
    """Claim up to `limit` attempts; holds the request for up to `wait_s` seconds while there is none.

    Raises:
        StoreUnavailable: some attempts may have been claimed; their leases end by themselves.
    """
    began_ms = services.clock.now_ms()
    try:
        return _poll(services, org, queue, worker_id, kinds, limit, began_ms + round(wait_s * 1_000))
    finally:
        meter.count(metrics.POLLS)
        meter.record(metrics.POLL_WAIT, services.clock.now_ms() - began_ms)


def _poll(
    services: Services,
    org: OrgId,
    queue: str,
    worker_id: str,
    kinds: Collection[str],
    limit: int,
    deadline_ms: int,
) -> Polled:
    while True:
        gate = queue_limits.gate_of(services, org, queue, wanted=min(limit, MAX_AT_ONCE))
        left_ms = max(0, deadline_ms - services.clock.now_ms())
        if not gate.room:
            if not left_ms:
                return Polled(is_paused=gate.is_paused)
            services.clock.sleep_ms(min(left_ms, gate.again_in_ms))
            continue
        received = services.tasks.receive(org, queue, limit=gate.room, wait_s=left_ms / 1_000)
        if not received:  # it has waited for as long as it may: asking again at once would be a spin
            return Polled()
        claimed = _claim(services, org, queue, received, worker_id, kinds)
        if claimed or services.clock.now_ms() >= deadline_ms:
            return Polled(tasks=tuple(claimed))


def _claim(
    services: Services,
    org: OrgId,
    queue: str,
    received: Sequence[ReceivedTask],
    worker_id: str,
    kinds: Collection[str],
) -> list[ClaimedTask]:
    """Claim what may begin of what was received, and give the rest back."""
    gate = queue_limits.admit(services, org, queue, [item.message for item in received])
    admitted, refused = received[: gate.room], received[gate.room :]
    for item in refused:
        services.tasks.release(org, queue, item, delay_ms=gate.again_in_ms)
    claimed = claim_all(services, org, queue, admitted, worker_id, kinds) if admitted else []
    begun = {(task.task_execution_id, task.attempt) for task in claimed}
    idle = [
        item.message
        for item in admitted
        if (queue_limits.task_id(item.message), item.message.attempt) not in begun
    ]
    queue_limits.not_begun(services, org, queue, idle)
    return claimed
