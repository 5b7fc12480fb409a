"""Pauses and limits of queues, where attempts begin and end.

    {org}#queue-use          {queue}         what a limited queue's attempts use

The row decides nothing about an attempt, only whether it is handed out now; the log is the fence. Queues that are not limited
have none, and pay nothing. An attempt that nobody reports leaves the row when its lease ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Item, PreconditionFailed
from flowstrand.engine import ids
from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.queues.messages import TaskMessage
from flowstrand.service import leases
from flowstrand.service.container import Services
from flowstrand.service.queue_controls import QueueControl
from flowstrand.service.queue_use import QueueUse

_PAUSED_LOOK_MS = 500
"""How often a poll that is held looks whether its queue is still paused."""
_FULL_LOOK_MS = 250
"""How often one looks whether something has ended in a queue whose attempts are all that may run."""
_TRIES = 20
_BASE_MS, _CAP_MS = 5, 100
_KEPT_MS = 30 * 86_400_000
"""How long after its last change the row of a queue is kept; longer than any attempt runs in which nothing else happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What may begin in a queue.

    Attributes:
        room: how many attempts may begin now.
        again_in_ms: if none, when to ask again.
    """

    room: int
    again_in_ms: int = 0
    is_paused: bool = False


def gate_of(services: Services, org: OrgId, queue: str, *, wanted: int) -> Gate:
    """How many of the `wanted` attempts may begin."""
    control = services.queues.get(org, queue)
    if control.is_paused:
        control = services.queues.get(org, queue, max_age_ms=_PAUSED_LOOK_MS)
    if control.is_paused:
        return Gate(room=0, again_in_ms=_PAUSED_LOOK_MS, is_paused=True)
    if not control.is_limited:
        return Gate(room=wanted)
    use, _ = _read(services, org, queue)
    return _gate(use, control, services.clock.now_ms(), wanted)


def admit(services: Services, org: OrgId, queue: str, messages: Collection[TaskMessage]) -> Gate:
    """Count as many of `messages` as may begin now, the first ones, as begun.

    Returns:
        How many; if none, when to try again.
    """
    control = services.queues.get(org, queue)
    if control.is_paused or not control.is_limited:
        return gate_of(services, org, queue, wanted=len(messages))
    names = [_name(task_id(message), message.attempt) for message in messages]
    gate = Gate(room=0, again_in_ms=_FULL_LOOK_MS)

    def begin(use: QueueUse) -> QueueUse:
        nonlocal gate
        now_ms = services.clock.now_ms()
        gate = _gate(use, control, now_ms, len(names))
        if not gate.room:
            return use
        return use.begun(control, names[: gate.room], now_ms, now_ms + services.settings.lease_ms)

    return gate if _change(services, org, queue, begin) else Gate(room=0, again_in_ms=_FULL_LOOK_MS)


def is_counted(services: Services, org: OrgId, queue: str) -> bool:
    """Whether the end of an attempt that begins now makes room for another."""
    return services.queues.get(org, queue).max_concurrent is not None


def not_begun(services: Services, org: OrgId, queue: str, messages: Collection[TaskMessage]) -> None:
    """Some that were admitted have not begun after all."""
    if messages and services.queues.get(org, queue).is_limited:
        names = [_name(task_id(message), message.attempt) for message in messages]
        _change(services, org, queue, lambda use: use.not_begun(names))


def ended(services: Services, org: OrgId, queue: str, id: str, attempt: int) -> None:
    """An attempt has ended: there is room for another. Where this fails, there is at the end of its lease."""
    _change(services, org, queue, lambda use: use.ended([_name(id, attempt)]))


def running(services: Services, org: OrgId, queue: str) -> int:
    """How many attempts of a queue run, where that is limited."""
    return len(_read(services, org, queue)[0].running)


def task_id(message: TaskMessage) -> str:
    """Whose attempt it is. A standalone task's log has the task's own id."""
    if message.position == ids.ROOT:
        return message.execution_id
    return ids.operation_id(message.execution_id, ids.TASK, message.position)


def _name(id: str, attempt: int) -> str:
    return f"{id}/{attempt}"


def _gate(use: QueueUse, control: QueueControl, now_ms: int, wanted: int) -> Gate:
    room = use.room(control, now_ms)
    if room is None or room >= wanted:
        return Gate(room=wanted)
    return Gate(room=room, again_in_ms=use.room_in_ms(control, now_ms) or _FULL_LOOK_MS)


def _change(services: Services, org: OrgId, queue: str, change: Callable[[QueueUse], QueueUse]) -> bool:
    """Write what `change` makes of the row; whether that succeeded before too many others did the same."""
    for attempt in range(_TRIES):
        use, version = _read(services, org, queue)
        changed = change(use)
        if changed == use:
            return True
        expires_ms = services.clock.now_ms() + _KEPT_MS
        with suppress(PreconditionFailed):
            services.directory.put(
                _partition(org), queue, _to_json(changed), expect=version, expires_at_ms=expires_ms
            )
            return True
        services.clock.sleep_ms(_jitter_ms(services, attempt))
    return False


def _jitter_ms(services: Services, attempt: int) -> int:
    longest_ms = min(_CAP_MS, _BASE_MS << attempt)
    return 1 + longest_ms * services.random_bytes(1)[0] // 256


def _read(services: Services, org: OrgId, queue: str) -> tuple[QueueUse, int]:
    """The row without attempts that are nobody's any more, and its version."""
    item = services.directory.get(_partition(org), queue)
    use = _of_json(item)
    now_ms = services.clock.now_ms()
    heard = {name: _heard_until_ms(services, name) for name in use.silent(now_ms)}
    alive = {name: until_ms for name, until_ms in heard.items() if until_ms > now_ms}
    return use.extended(alive).ended(heard.keys() - alive.keys()), item.version if item else 0


def _heard_until_ms(services: Services, name: str) -> int:
    id, _, attempt = name.rpartition("/")
    return leases.extended_to_ms(services.directory, id, attempt=int(attempt))


def _to_json(use: QueueUse) -> JsonObject:
    running: dict[str, JsonValue] = dict(use.running)
    return {"tokens": use.tokens, "atMs": use.at_ms, "running": running}


def _of_json(item: Item | None) -> QueueUse:
    if item is None:
        return QueueUse()
    tokens, at_ms, running = item.data.get("tokens"), item.data.get("atMs"), item.data.get("running")
    known: Mapping[str, JsonValue] = running if isinstance(running, dict) else {}
    return QueueUse(
        tokens=float(tokens) if isinstance(tokens, int | float) else None,
        at_ms=at_ms if isinstance(at_ms, int) else 0,
        running={name: until_ms for name, until_ms in known.items() if isinstance(until_ms, int)},
    )


def _partition(org: OrgId) -> str:
    return f"{org}#queue-use"
