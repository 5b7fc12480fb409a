"""Quotas: how much of a stack one org may take. A request over quota is refused before anything is made of it.

Rates are kept in the directory, since a Lambda function's processes are many and short-lived. Each rate of an org is spread over
shards, rows that are written under a condition; a request takes from one of them, chosen at random, and looks at two more
before it is refused. So no row is written more than some twenty times a second, and what a shard lets through all of them
together let through in proportion: a rate is kept on average, and a little less than a whole burst may find its way.
(The arithmetic is the generic cell rate algorithm, ITU-T I.371: a row is the moment at which its shard will be full again.)

Open executions are counted from the rows that the sweep reads, and the count is shared and kept for as long as it can hardly
be passed. Between two counts a process adds what it has started itself; so several may together start some more than the
quota before the next count, at most a few seconds later.

    quotas#{org}#{rate}    {shard}    {"fullAt": microseconds since the epoch}
    quotas#{org}           open       {"open": how many, "at": epoch milliseconds}
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import field
from threading import Lock
from typing import TYPE_CHECKING

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.ids import OrgId
from flowstrand.errors import QuotaExceeded
from flowstrand.service import open_executions

if TYPE_CHECKING:
    from flowstrand.service.container import Services

_PER_SHARD = 20
_MAX_SHARDS = 16
_SHARDS_TRIED = 3
_CONFLICTS = 4
"""How often a row that others write at the same time is tried again."""
_KEPT_MS = 3_600_000
"""A row that is not written for so long is as good as none."""
_COUNTED_MS, _NEAR_COUNTED_MS, _FULL_COUNTED_MS = 60_000, 5_000, 1_000
"""How long a count holds: while less than half of the quota is used, beyond that, and before anybody is refused."""
_FULL_RETRY_S = 5
_MAX_REFUSED_MS = 1_000


@dataclass(frozen=True, slots=True)
class _Count:
    open: int
    at_ms: int


@dataclass(slots=True)
class QuotaMemory:
    """What a process remembers between requests."""

    counts: dict[OrgId, _Count] = field(default_factory=dict)
    started: dict[OrgId, int] = field(default_factory=dict)
    refused_until_ms: dict[tuple[OrgId, str], int] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def remember(self, org: OrgId, count: _Count) -> None:
        """A count includes all that was started before it."""
        with self.lock:
            self.counts[org], self.started[org] = count, 0

    def known(self, org: OrgId) -> _Count | None:
        """The newest count, and what was started since."""
        with self.lock:
            count = self.counts.get(org)
            return None if count is None else _Count(count.open + self.started[org], count.at_ms)

    def note_start(self, org: OrgId) -> None:
        """One more."""
        with self.lock:
            self.started[org] = self.started.get(org, 0) + 1


def require_start(services: Services, org: OrgId) -> None:
    """Let a request start an execution, as far as its org's quotas go.

    Runs of schedules, children and successors are not asked about: they are refused to nobody who could come again. They
    count as open executions all the same.

    Raises:
        QuotaExceeded: with the time after which it may be let through.
        StoreUnavailable: the directory cannot say.
    """
    own, defaults = services.org_settings.get(services, org), services.settings
    room = _or(own.open_executions, defaults.quota_open_executions)
    if room:
        _require_room(services, org, room)
    _take(services, org, "starts", _or(own.starts_per_s, defaults.quota_starts_per_s), own.burst_s)
    if room:
        services.quotas.note_start(org)


def require_signal(services: Services, org: OrgId) -> None:
    """Let a request signal an execution, as far as its org's quota goes. Raises what `require_start` does."""
    own = services.org_settings.get(services, org)
    _take(services, org, "signals", _or(own.signals_per_s, services.settings.quota_signals_per_s), own.burst_s)


def _or(own: int | None, default: int) -> int:
    return default if own is None else own


# --- open executions -------------------------------------------------------------------------------


def _require_room(services: Services, org: OrgId, limit: int) -> None:
    known = services.quotas.known(org)
    near = known is not None and known.open >= limit // 2
    known = _counted(services, org, limit, max_age_ms=_NEAR_COUNTED_MS if near else _COUNTED_MS)
    if known.open >= limit:
        known = _counted(services, org, limit, max_age_ms=_FULL_COUNTED_MS)
    if known.open >= limit:
        raise QuotaExceeded(f"the org has {limit} open executions, as many as it may", retry_after_s=_FULL_RETRY_S)


def _counted(services: Services, org: OrgId, limit: int, *, max_age_ms: int) -> _Count:
    """How many are open, by a count that is no older: this process's, somebody else's, or a new one."""
    now_ms = services.clock.now_ms()
    known = services.quotas.known(org)
    if known is not None and now_ms - known.at_ms < max_age_ms:
        return known
    item = services.directory.get(f"quotas#{org}", "open")
    if item is not None and now_ms - int(str(item.data["at"])) < max_age_ms:
        count = _Count(int(str(item.data["open"])), int(str(item.data["at"])))
    else:
        count = _Count(open_executions.count(services.directory, org, limit), now_ms)
        row = {"open": count.open, "at": now_ms}
        services.directory.put(f"quotas#{org}", "open", {**row}, expires_at_ms=now_ms + _KEPT_MS)
    services.quotas.remember(org, count)
    return count


# --- rates -----------------------------------------------------------------------------------------


def _take(services: Services, org: OrgId, rate: str, per_s: int, burst_s: int | None) -> None:
    if not per_s:
        return
    now_ms = services.clock.now_ms()
    wait_ms = services.quotas.refused_until_ms.get((org, rate), 0) - now_ms
    if wait_ms <= 0:
        wait_ms = _wait_ms(services, org, rate, per_s, _or(burst_s, services.settings.quota_burst_s))
    if wait_ms > 0:
        services.quotas.refused_until_ms[org, rate] = now_ms + min(wait_ms, _MAX_REFUSED_MS)
        raise QuotaExceeded(
            f"the org may make {per_s} {rate} a second", retry_after_s=max(1, math.ceil(wait_ms / 1_000))
        )


def _wait_ms(services: Services, org: OrgId, rate: str, per_s: int, burst_s: int) -> int:
    """0 once one has been taken, else how long to wait before a shard that was looked at has another."""
    shards = min(_MAX_SHARDS, -(-per_s // _PER_SHARD))
    first = services.random_bytes(1)[0]
    waits: list[int] = []
    for shard in range(first, first + min(shards, _SHARDS_TRIED)):
        bucket = _Bucket(
            partition=f"quotas#{org}#{rate}", key=str(shard % shards), every_us=shards * 1_000_000 // per_s
        )
        wait_us = bucket.take(services, room_us=max(1, burst_s) * 1_000_000)
        if wait_us == 0:
            return 0
        waits.append(-(-wait_us // 1_000))
    return min(waits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bucket:
    """One shard of a rate, which gives one every `every_us` microseconds."""

    partition: str
    key: str
    every_us: int

    def take(self, services: Services, *, room_us: int) -> int:
        """0 once one has been taken, else how many microseconds until one is there. It holds `room_us` worth, one at least."""
        for _ in range(_CONFLICTS):
            now_ms = services.clock.now_ms()
            item = services.directory.get(self.partition, self.key)
            full_at = max(now_ms * 1_000, int(str(item.data["fullAt"])) if item else 0) + self.every_us
            early_us = full_at - now_ms * 1_000 - max(room_us, self.every_us)
            if early_us > 0:
                return early_us
            with suppress(PreconditionFailed):
                services.directory.put(
                    self.partition,
                    self.key,
                    {"fullAt": full_at},
                    expect=item.version if item else 0,
                    expires_at_ms=now_ms + _KEPT_MS,
                )
                return 0
        return self.every_us
