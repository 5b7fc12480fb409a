"""The projector's use case: bring the feeds and the listing to where the logs are.

Whoever calls it only says that a log has grown, so that lost, doubled and reordered calls do no harm: a log is read from
where its own row says that it was projected to, and the feed, that row and the pointers to it move on in one transaction
(ADR 0016). Two projectors of one log, or of two logs of one org, meet there: one of them begins again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import PreconditionFailed, Write
from flowstrand.engine.events import Event
from flowstrand.engine.ids import OrgId
from flowstrand.errors import FlowstrandError, StoreUnavailable
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append, feed, listing_rows, open_executions
from flowstrand.service.container import Services
from flowstrand.service.feed import Run
from flowstrand.service.listing_rows import Row

_LOGS_TOGETHER = 15
"""Logs that one transaction moves on: each is up to five writes, the feed two, and there may be a hundred."""
_EVENTS_EACH = 200
"""Events of one log in one transaction; a batch of the feed then stays far below what an item may hold."""
_EVENTS_TOGETHER = 3_000
"""Events beyond which nothing more is added to a transaction."""
_TRIES = 12
"""How often one transaction is tried while others keep coming first, or the store is busy."""
_PATIENCE_MS = 20_000
"""When no org is tried more than once any more: where the store is away, they are not to be waited for one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """How one log moves on."""

    key: LogKey
    projected: int
    count: int
    runs: list[Run]
    writes: list[Write]
    is_end: bool


def project(services: Services, wanted: Mapping[LogKey, int]) -> Mapping[LogKey, Exception]:
    """Project each log up to at least the sequence that is wanted of it, and to where it stands if that is near.

    Returns:
        The logs that could not be projected, and why; the others have been.
    """
    by_org: defaultdict[OrgId, dict[LogKey, int]] = defaultdict(dict)
    for key, sequence in wanted.items():
        by_org[key.org][key] = sequence
    patient_until_ms = services.clock.now_ms() + _PATIENCE_MS
    failures: dict[LogKey, Exception] = {}
    for org, logs in by_org.items():
        is_patient = services.clock.now_ms() < patient_until_ms
        failures |= _project_org(services, org, logs, tries=_TRIES if is_patient else 1)
    return failures


def is_projected(services: Services, key: LogKey, sequence: int) -> bool:
    """Whether the feed and the listing know of everything up to `sequence`."""
    return listing_rows.read(services.directory, [key])[key].projected >= sequence


def _project_org(
    services: Services, org: OrgId, wanted: Mapping[LogKey, int], *, tries: int
) -> dict[LogKey, Exception]:
    behind = dict(wanted)
    failures: dict[LogKey, Exception] = {}
    backoff, tried = append.Backoff(services), 0
    while behind:
        batch = dict(islice(behind.items(), _LOGS_TOGETHER))
        try:
            done = _move_on(services, org, batch, failures)
        except (PreconditionFailed, StoreUnavailable) as error:
            tried += 1
            if tried >= tries:
                return failures | dict.fromkeys(behind, error)
            backoff.wait()
        else:
            tried = 0
            for key in done | (failures.keys() & batch.keys()):
                del behind[key]
    return failures


def _move_on(
    services: Services, org: OrgId, batch: Mapping[LogKey, int], failures: dict[LogKey, Exception]
) -> set[LogKey]:
    """Move the logs of a batch on together; returns those that have reached what is wanted of them.

    Raises:
        PreconditionFailed: another projector came first.
        StoreUnavailable: it may or may not have been done; the rows tell.
    """
    done: set[LogKey] = set()
    steps: list[_Step] = []
    for key, row in listing_rows.read(services.directory, batch).items():
        if sum(step.count for step in steps) > _EVENTS_TOGETHER:
            break
        step = None if row.projected >= batch[key] else _try_step(services, row, failures)
        if step is not None:
            steps.append(step)
        if step is None or step.projected >= batch[key]:
            done.add(key)
    if steps:
        runs = [run for step in steps for run in step.runs]
        writes = [write for step in steps for write in step.writes]
        services.directory.write_together([*feed.appending(services, org, runs), *writes])
    for step in steps:
        if step.is_end:
            open_executions.forget_told(services.directory, step.key)
    return done - failures.keys()


def _try_step(services: Services, row: Row, failures: dict[LogKey, Exception]) -> _Step | None:
    """As `_step`; a log that cannot be read fails alone."""
    try:
        return _step(services, row)
    except StoreUnavailable:
        raise
    except FlowstrandError as error:
        failures[row.key] = error
        return None


def _step(services: Services, row: Row) -> _Step | None:
    """What comes next of a log; None where nothing does."""
    read = _read_on(services, row)
    if read is None:
        return None
    tip, events = read
    projected = events[-1].sequence
    listed = listing_rows.listed_at(tip.state, events, row.listed)
    return _Step(
        key=row.key,
        projected=projected,
        count=len(events),
        runs=feed.runs_of(row.key, events),
        writes=listing_rows.changing(row, projected, listed),
        is_end=tip.state.closed is not None and projected == tip.state.sequence,
    )


def _read_on(services: Services, row: Row) -> tuple[append.Tip, list[Event]] | None:
    """The events behind what is projected, some of them or all, and the log's tip there or further on; None if there are none.

    They are read once, and folded onto where this process has last seen the log to stand.
    """
    known = services.tips.newest(row.key)
    if known is None or known.state.sequence < row.projected:
        known = append.load(services, row.key)
    if known is None:
        return None  # all of it has expired
    commits = services.log.read(row.key, after=row.projected, limit=_EVENTS_EACH)
    events = [event for commit in commits for event in unpack_events(commit) if event.sequence > row.projected]
    seen = known.state.sequence
    new = [commit for commit in commits if commit.sequence > seen]
    if not events:
        return None
    if not new:
        return known, events
    tip = append.advance(known, row.key, new, [event for event in events if event.sequence > seen])
    if services.settings.warm_executions:
        services.tips.note(tip)
    return tip, events
