"""Idempotency keys: names that callers give to what they want to have started once.

A directory row per key says which execution the key stands for. It is written first, and the execution begun under the id
that it holds: whoever's sequence 1 is written made the execution, and everybody else finds it there. So nothing needs a
transaction, and a caller who ended between the two leaves work that the next one finishes.

A row gives way to another only once the log that it names has ended. Until that has begun, everybody begins the same one, so
that no key ever has two open executions. Rows do not expire in the store, which does not know whether an execution is
open: they go with their logs.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Item, PreconditionFailed
from flowstrand.engine import ids
from flowstrand.engine.events import EventType
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import Gone
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.service import append, succession
from flowstrand.service.container import Services

SHARDS = 16
"""Over how many partitions the rows are spread."""

MIN_TTL_MS, MAX_TTL_MS = 1_000, 30 * 86_400_000
DEFAULT_TTL_MS = 86_400_000

_ABANDONED_MS = 86_400_000
"""An execution that has not begun so long after its claim has run out never will: its log has been and gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The execution that a key stands for.

    Attributes:
        chain: where its log stands, and those of the executions that it has continued as; empty before it has begun.
        before: the execution that gave way to this one, if that was a short time ago: somebody may still be repeating what
            he has asked of it.
    """

    execution_id: ExecutionId
    chain: tuple[append.Tip, ...] = ()
    before: ExecutionId | None = None


_REPEATED_MS = 600_000
"""For how long callers are taken to repeat a request: longer than clients do."""

GivesWay: TypeAlias = Callable[[tuple[append.Tip, ...], bool], bool]
"""Whether the executions of a chain leave their key to another, given whether the key's time has passed."""
NewId: TypeAlias = Callable[[int, bytes], ExecutionId]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    execution_id: ExecutionId
    claimed_at_ms: int
    expires_at_ms: int
    before: ExecutionId | None
    version: int


def hold(
    services: Services, org: OrgId, key: str, *, ttl_ms: int, gives_way: GivesWay, new_id: NewId = ids.execution_id
) -> Held:
    """The execution that `key` stands for; a new one, not begun yet, where it stood for none or for one that gives way.

    Args:
        ttl_ms: how long a new claim lasts, from now.
        new_id: makes the id of a new one, of the moment and ten random bytes.

    Raises:
        StoreUnavailable: the key may or may not have been claimed; ask again.
    """
    while True:
        now_ms = services.clock.now_ms()
        claim = _find(services, org, key)
        chain = () if claim is None else chain_of(services, org, claim.execution_id)
        if claim is not None and _stands(claim, chain, now_ms, gives_way):
            return Held(execution_id=claim.execution_id, chain=chain, before=_recently(claim, now_ms))
        held = _next(services, claim, chain, now_ms, new_id)
        row: JsonObject = {
            "execution": held.execution_id,
            "claimedAt": now_ms,
            "expiresAt": now_ms + ttl_ms,
            "before": held.before,
        }
        try:
            services.directory.put(*_address(org, key), row, expect=claim.version if claim else 0)
        except PreconditionFailed:
            continue  # somebody else claimed it: theirs is looked at
        return held


def of_task(key: str) -> str:
    """The key of a standalone task: it never meets that of an execution, which is of printable characters."""
    return f"task\x1f{key}"


def chain_of(services: Services, org: OrgId, execution_id: ExecutionId) -> tuple[append.Tip, ...]:
    """Where the log of an execution stands, and of each that it has continued as; empty where it has none."""
    tip = append.load(services, LogKey(org, execution_id))
    chain: list[append.Tip] = []
    with suppress(Gone):
        while tip is not None:
            chain.append(tip)
            tip = succession.successor_of(services, tip)
    return tuple(chain)


def release(services: Services, tip: append.Tip, key: str) -> int | None:
    """Let the key go of an execution that has ended and is to expire: to what it has continued as, else to nobody.

    Returns:
        None once the key does not stand for it any more, else until when it does.

    Raises:
        PreconditionFailed: somebody else has changed what the key stands for; look again.
    """
    claim = _find(services, tip.key.org, key)
    if claim is None or claim.execution_id != tip.key.execution_id:
        return None
    successor = succession.successor_of(services, tip)
    address = _address(tip.key.org, key)
    if successor is not None:
        row: JsonObject = {
            "execution": successor.key.execution_id,
            "claimedAt": claim.claimed_at_ms,
            "expiresAt": claim.expires_at_ms,
            "before": claim.before,
        }
        services.directory.put(*address, row, expect=claim.version)
        return None
    is_completed = tip.state.closed in {EventType.WORKFLOW_COMPLETED, EventType.TASK_COMPLETED}
    if is_completed and services.clock.now_ms() < claim.expires_at_ms:
        return claim.expires_at_ms
    services.directory.delete(*address, expect=claim.version)
    return None


def _stands(claim: _Claim, chain: tuple[append.Tip, ...], now_ms: int, gives_way: GivesWay) -> bool:
    has_expired = now_ms >= claim.expires_at_ms
    return not gives_way(chain, has_expired) if chain else not has_expired


def _recently(claim: _Claim, now_ms: int) -> ExecutionId | None:
    return claim.before if now_ms < claim.claimed_at_ms + _REPEATED_MS else None


def _next(
    services: Services, claim: _Claim | None, chain: tuple[append.Tip, ...], now_ms: int, new_id: NewId
) -> Held:
    """What to claim: the same again for as long as whoever claimed it may still be about to begin it, else a new one."""
    if claim is not None and not chain and now_ms < claim.expires_at_ms + _ABANDONED_MS:
        return Held(execution_id=claim.execution_id, before=claim.before)
    execution = new_id(now_ms, services.random_bytes(10))
    return Held(execution_id=execution, before=claim.execution_id if claim else None)


def _find(services: Services, org: OrgId, key: str) -> _Claim | None:
    item = services.directory.get(*_address(org, key))
    return None if item is None else _claim_of(item)


def _claim_of(item: Item) -> _Claim:
    before = item.data["before"]
    return _Claim(
        execution_id=ExecutionId(str(item.data["execution"])),
        claimed_at_ms=int(str(item.data["claimedAt"])),
        expires_at_ms=int(str(item.data["expiresAt"])),
        before=None if before is None else ExecutionId(str(before)),
        version=item.version,
    )


def _address(org: OrgId, key: str) -> tuple[str, str]:
    """Partition and key of the row; an org's name holds no `#`, so that no key reaches into another org's."""
    name = f"{org}#{key}"
    return f"idempotency#{zlib.crc32(name.encode()) % SHARDS}", name
