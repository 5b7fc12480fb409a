"""What attempts of tasks say in their logs: kept beside the log that the task is in, for as long as that, for people to read.

Nothing depends on it: it is no history (law 1), and what an attempt says when its lease is lost or its execution has ended is
kept too, for that is what one looks for then.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.engine.task_log import (
    MAX_BATCH_BYTES,
    MAX_BATCH_RECORDS,
    MAX_MESSAGE,
    LogLevel,
    LogRecord,
    size_of,
)
from flowstrand.errors import InvalidInput, PayloadTooLarge
from flowstrand.log.port import LogKey
from flowstrand.service import task_log_rows, tasks
from flowstrand.service.container import Services
from flowstrand.service.task_address import address_of, creation_of, require_log
from flowstrand.service.task_log_rows import Batch

_PAGE_BYTES = 1_048_576
"""How much one page looks at, but for its last batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRecord:
    """A record, and which attempt said it."""

    attempt: int
    record: LogRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page starts: with this record of this batch of this attempt, or with the first that comes after."""

    attempt: int = 1
    batch: int = 1
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """At most as many as asked for; fewer, or none, with more to come where `next` is there."""

    records: tuple[LoggedRecord, ...]
    next: Cursor | None


def append(
    services: Services, org: OrgId, task_id: str, *, lease_token: str, batch: int, records: Sequence[LogRecord]
) -> int:
    """Keep what an attempt has said; returns how many more batches it may bring.

    Args:
        batch: counts the attempt's batches from 1. One that is kept already stays as it is, so that repeating a call is a
            no-op with the same answer.

    Raises:
        InvalidInput: no records, too many, or a batch below 1; nothing is kept.
        PayloadTooLarge: a message or all together are too long, or the attempt has brought as many batches as it may
            (`TASK_LOG_FULL`); nothing is kept.
        NotFound: `TASK_NOT_FOUND`.
        Gone: `EXECUTION_EXPIRED`.
        Conflict: `INVALID_LEASE`. A lease that was lost is as good as any.
        StoreUnavailable: they may or may not have been kept; send them again.
    """
    size = _require_within_limits(batch, records)
    key, position, lease = tasks.lease_of(services, org, task_id, lease_token)
    require_log(services, key)
    left = services.settings.task_log_batches - batch
    if left < 0:
        raise PayloadTooLarge("the attempt has logged as much as it may", code="TASK_LOG_FULL")
    kept = Batch(position=position, attempt=lease.attempt, number=batch, records=tuple(records), size=size)
    task_log_rows.add(services.directory, key, kept)
    return left


def read(
    services: Services,
    org: OrgId,
    task_id: str,
    *,
    attempt: int | None = None,
    level: LogLevel = LogLevel.DEBUG,
    limit: int,
    start: Cursor | None = None,
) -> LogPage:
    """What its attempts have said, in the order of attempts and, within one, in that in which it was said.

    Args:
        attempt: leave out the others.
        level: leave out what matters less.

    Raises:
        NotFound: `TASK_NOT_FOUND`: unknown, or another org's.
        Gone: `EXECUTION_EXPIRED`.
    """
    key, position = address_of(org, task_id)
    tip = require_log(services, key)
    at = start or Cursor(attempt=attempt or 1)
    page = _page(services, key, position, at, attempt, level, limit)
    if not page.records and page.next is None:
        creation_of(services, tip, task_id)  # nothing is said of a task that never was
    return page


def _page(
    services: Services,
    key: LogKey,
    position: int,
    start: Cursor,
    only: int | None,
    level: LogLevel,
    limit: int,
) -> LogPage:
    found: list[LoggedRecord] = []
    looked_at = 0
    for batch in task_log_rows.batches(
        services.directory, key, position, attempt=start.attempt, number=start.batch
    ):
        if only is not None and batch.attempt != only:
            break
        if looked_at >= _PAGE_BYTES:
            return _cut(found, batch, 0)
        for index in range(_first_index(batch, start), len(batch.records)):
            record = batch.records[index]
            if record.level.rank >= level.rank:
                if len(found) == limit:
                    return _cut(found, batch, index)
                found.append(LoggedRecord(attempt=batch.attempt, record=record))
        looked_at += batch.size
    return LogPage(records=tuple(found), next=None)


def _first_index(batch: Batch, start: Cursor) -> int:
    return start.index if (batch.attempt, batch.number) == (start.attempt, start.batch) else 0


def _cut(found: Sequence[LoggedRecord], batch: Batch, index: int) -> LogPage:
    following = Cursor(attempt=batch.attempt, batch=batch.number, index=index)
    return LogPage(records=tuple(found), next=following)


def _require_within_limits(batch: int, records: Sequence[LogRecord]) -> int:
    """The bytes of the records' JSON."""
    if batch < 1:
        raise InvalidInput("batches are counted from 1")
    if not 1 <= len(records) <= MAX_BATCH_RECORDS:
        raise InvalidInput(f"from 1 to {MAX_BATCH_RECORDS} records may be sent at once, not {len(records)}")
    for number, record in enumerate(records):
        if len(record.message) > MAX_MESSAGE:
            message = (
                f"the message of record {number} has {len(record.message)} characters, and may have {MAX_MESSAGE}"
            )
            raise PayloadTooLarge(message)
    size = sum(map(size_of, records))
    if size > MAX_BATCH_BYTES:
        raise PayloadTooLarge(f"the records have {size} bytes, and may have {MAX_BATCH_BYTES} at once")
    return size
