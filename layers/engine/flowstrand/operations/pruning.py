"""Pruning: stored values that no log refers to any more are marked, and go when they have been marked for a week (ADR 0036).

The scan is no snapshot, and needs none. A value goes if two runs, a week apart, have found no reference to it, if nobody has
uploaded or accepted it since (`payload_marks`), and only in the version that was seen then: whoever has stored it again
meanwhile, as every writer of a large value does before it commits, has made another.
"""

from __future__ import annotations

from contextlib import suppress

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.ids import OrgId, is_channel_log
from flowstrand.histories.history import references_of
from flowstrand.log.inventory import LogInventory
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit
from flowstrand.log.records import StoredBody, unpack_record
from flowstrand.payloads.inventory import PayloadInventory, StoredPayload
from flowstrand.service import payload_marks, schedule_index, schedule_rows
from flowstrand.service.container import Services
from flowstrand.service.payload_marks import GRACE_MS, Mark

Name = tuple[OrgId, str]


@dataclass(slots=True, kw_only=True)
class Pruned:
    """What a run has found and done; bytes beside each number.

    Attributes:
        stored: values, when it began.
        unreferenced: of those, the ones that nothing refers to.
        marked: those that got their mark now.
        deleted: those that had it for long enough.
    """

    stored: int = 0
    stored_bytes: int = 0
    unreferenced: int = 0
    unreferenced_bytes: int = 0
    marked: int = 0
    deleted: int = 0
    deleted_bytes: int = 0


def prune(services: Services, payloads: PayloadInventory, logs: LogInventory, *, dry_run: bool = False) -> Pruned:
    """Mark what nothing refers to, and delete what has been marked for long enough. May be broken off and repeated anywhere.

    Args:
        dry_run: only count.

    Raises:
        LogCorrupted: a commit cannot be read, so that it is not known what it refers to; nothing is deleted.
        ConfigurationError: the payload store does not tell versions apart.
        StoreUnavailable: run it again.
    """
    marks = {(mark.org, mark.sha256): mark for mark in payload_marks.every(services.directory)}
    stored = {(payload.org, payload.sha256): payload for payload in payloads.stored()}
    unreferenced = stored.keys() - _references(services, logs)
    done = Pruned(stored=len(stored), stored_bytes=sum(payload.size for payload in stored.values()))
    for name in sorted(unreferenced):
        done.unreferenced += 1
        done.unreferenced_bytes += stored[name].size
        if not dry_run:
            _deal_with(services, payloads, stored[name], marks.get(name), done)
    if not dry_run:
        for name in marks.keys() - unreferenced:
            payload_marks.remove(services.directory, marks[name])
    return done


def _deal_with(
    services: Services, payloads: PayloadInventory, payload: StoredPayload, mark: Mark | None, done: Pruned
) -> None:
    if mark is None or mark.payload != payload.version:
        _mark(services, payload, mark)
        done.marked += 1
    elif _is_due(services, mark) and (mark.is_going or payload_marks.condemn(services.directory, mark)):
        payloads.remove(payload)
        payload_marks.remove(services.directory, mark)
        done.deleted += 1
        done.deleted_bytes += payload.size


def _is_due(services: Services, mark: Mark) -> bool:
    return services.clock.now_ms() - mark.since_ms >= GRACE_MS


def _mark(services: Services, payload: StoredPayload, standing: Mark | None) -> None:
    mark = Mark(
        org=payload.org,
        sha256=payload.sha256,
        payload=payload.version,
        since_ms=services.clock.now_ms(),
        row_version=0 if standing is None else standing.row_version,
    )
    with suppress(PreconditionFailed):  # somebody has held it, or prunes as well; the next run finds it
        payload_marks.add(services.directory, mark)


def _references(services: Services, logs: LogInventory) -> set[Name]:
    found = {name for commit in logs.commits() for name in _of_commit(commit)}
    for due in schedule_index.every(services.directory):
        ref = schedule_rows.reference(services, due.org, due.schedule_id)
        if ref is not None:
            found.add((due.org, ref.sha256))
    return found


def _of_commit(commit: Commit) -> set[Name]:
    org = commit.key.org
    if is_channel_log(commit.key.execution_id):
        body = unpack_record(commit)
        return {(org, body.sha256)} if isinstance(body, StoredBody) else set()
    return {(org, ref.sha256) for event in unpack_events(commit) for ref in references_of(event)}
