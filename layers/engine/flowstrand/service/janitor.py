"""The janitor: lets logs expire whose time has come, and removes what the directory has of them.

It looks at rows that are due, oldest first, each for itself. Whatever it does may be done again, and it may end anywhere (law
9): the row goes last, and until the log's last commit is marked, everything that leads to it, or is found from its
events, has been removed before. What its tasks have said in their logs goes after that, when nothing can be added to it.
It writes to no log but to say until when commits are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine import ids
from flowstrand.engine.events import EventData, PromiseCreated, TaskCreated, WorkflowStarted
from flowstrand.errors import ConfigurationError, FlowstrandError, StoreUnavailable
from flowstrand.log.packing import unpack_events
from flowstrand.log.retention import LogRetention
from flowstrand.service import (
    adoption,
    append,
    closed_executions,
    expiry,
    idempotency,
    listing,
    promise_keys,
    task_log_rows,
)
from flowstrand.service.channels import cleaning
from flowstrand.service.closed_executions import SHARDS, Closed
from flowstrand.service.container import Services

_log = logging.getLogger("flowstrand.janitor")

_ROWS = 50
"""Rows of one shard that are read at a time."""
_COMMITS = 100
"""Commits that are let go between two looks at the clock."""
_EVENTS = 1_000
"""Events that are read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What a run did.

    Attributes:
        expired: logs that have expired.
        kept: logs whose time has not come after all.
        failed: logs that could not be dealt with; they are looked at again by the next run.
        is_done: whether nothing that was due is left but those that failed.
    """

    expired: int
    kept: int
    failed: int
    is_done: bool


def run(services: Services, *, until_ms: int) -> Cleaned:
    """Deal with what is due, until nothing is or the clock reads `until_ms`.

    Raises:
        ConfigurationError: this process cannot let logs expire.
        StoreUnavailable: the directory cannot be read.
    """
    retention = services.retention
    if retention is None:
        raise ConfigurationError("the janitor needs a `LogRetention`")
    retention.purge(services.clock.now_ms())
    done: list[bool | None] = []
    for closed in _due(services):
        if services.clock.now_ms() >= until_ms:
            return _cleaned(done, is_done=False)
        try:
            done.append(_deal_with(services, retention, closed, until_ms))
        except StoreUnavailable:
            raise
        except (FlowstrandError, PreconditionFailed):
            _log.exception("the log of %s cannot expire yet", closed.key)
            done.append(None)
    return _cleaned(done, is_done=True)


def _cleaned(done: Sequence[bool | None], *, is_done: bool) -> Cleaned:
    return Cleaned(expired=done.count(True), kept=done.count(False), failed=done.count(None), is_done=is_done)


def _due(services: Services) -> Iterator[Closed]:
    """Every row that is due now, once."""
    now_ms = services.clock.now_ms()
    for shard in range(SHARDS):
        seen: set[Closed] = set()
        limit = _ROWS
        while fresh := [
            row for row in closed_executions.due(services.directory, shard, now_ms, limit) if row not in seen
        ]:
            seen.update(fresh)
            yield from fresh
            limit = _ROWS + len(seen)  # those that failed stay where they are


def _deal_with(services: Services, retention: LogRetention, closed: Closed, until_ms: int) -> bool:
    """Let one log expire; whether it has. One whose time has not come gets another row."""
    if ids.is_channel_log(closed.key.execution_id):
        return _deal_with_channel(services, retention, closed, until_ms)
    tip = append.load(services, closed.key)
    if tip is None or tip.state.closed is None:  # gone, or never what the row says
        closed_executions.remove(services.directory, closed)
        return False
    if not tip.is_expired:
        later_ms = expiry.postponed_to(services, tip) or _forget(services, tip)
        if later_ms is not None:
            _postpone(services, closed, later_ms)
            return False
    while not retention.expire(closed.key, now_ms=services.clock.now_ms(), limit=_COMMITS):
        if services.clock.now_ms() >= until_ms:
            return False  # the next run goes on
    while not task_log_rows.drop(services.directory, closed.key):  # nothing is added to those of an expired log
        if services.clock.now_ms() >= until_ms:
            return False
    closed_executions.remove(services.directory, closed)
    return True


def _deal_with_channel(services: Services, retention: LogRetention, closed: Closed, until_ms: int) -> bool:
    """As `_deal_with`; of a channel nothing is kept."""
    later_ms = cleaning.kept_until_ms(services, closed.key)
    if later_ms is not None:
        if cleaning.is_forgettable(later_ms):
            closed_executions.remove(services.directory, closed)
        else:
            _postpone(services, closed, later_ms)
        return False
    while not retention.expire(closed.key, now_ms=services.clock.now_ms(), limit=_COMMITS, keeps_ends=False):
        if services.clock.now_ms() >= until_ms:
            return False  # the next run goes on
    closed_executions.remove(services.directory, closed)
    return True


def _postpone(services: Services, closed: Closed, later_ms: int) -> None:
    if later_ms != closed.due_ms:
        closed_executions.add(services.directory, Closed(key=closed.key, due_ms=later_ms))
        closed_executions.remove(services.directory, closed)


def _forget(services: Services, tip: append.Tip) -> int | None:
    """Remove what the directory has of a log that is still whole; or say until when an idempotency key keeps it.

    Leases, heartbeats and counts of turns are not asked for: those rows have an end of their own.
    """
    for data in _events(services, tip):
        match data:
            case WorkflowStarted(idempotency_key=str() as key):
                live_until_ms = idempotency.release(services, tip, key)
                if live_until_ms is not None:
                    return live_until_ms
            case TaskCreated(idempotency_key=str() as key):
                live_until_ms = idempotency.release(services, tip, idempotency.of_task(key))
                if live_until_ms is not None:
                    return live_until_ms
            case PromiseCreated(key=str() as key):
                promise_keys.release(services, tip.key.org, key, data.promise_id)
            case _:
                pass
    if tip.state.parent is not None:
        adoption.forget_heirs(services, tip.key.org, tip.state.parent)
    listing.remove(services, tip.key)
    return None


def _events(services: Services, tip: append.Tip) -> Iterator[EventData]:
    after = 0
    while after < tip.state.sequence:
        for commit in services.log.read(tip.key, after=after, limit=_EVENTS):
            yield from (event.data for event in unpack_events(commit) if event.sequence > after)
            after = commit.last_sequence
