"""Importing: logs of executions that have ended, written into another store as they were (laws 2, 3 and 4).

An execution's log is never open while it is imported. Its last commit is written first, with the state at the end as its
checkpoint: from then on every writer finds that the execution has ended. Its other commits follow, under the sequences, times
and commit ids that they had, each by the one conditional append; so repeating an import writes what is missing and nothing else,
and never touches a log that is another one. Until all are there, readers find a gap and say so.

The projector is told beforehand that there is nothing to project: the org's feed tells what happens in the org, and nothing
has happened. The listing has the execution once its log is whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.task_log import size_of
from flowstrand.errors import HistoryRefused, LogCorrupted, StoreUnavailable
from flowstrand.histories.channel import ChannelHistory
from flowstrand.histories.history import History, TaskLogBatch, refused
from flowstrand.histories.reading import Section
from flowstrand.histories.writing import history_of
from flowstrand.log.checkpoint import pack_checkpoint
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.log.retention import DAY_MS
from flowstrand.log.rows import MAX_COMMIT_BYTES
from flowstrand.operations import import_claims
from flowstrand.operations.channel_commits import commits_of
from flowstrand.service import append, closed_executions, expiry, listing_rows, task_log_rows
from flowstrand.service.closed_executions import Closed
from flowstrand.service.container import Services
from flowstrand.service.task_log_rows import Batch


class Outcome(StrEnum):
    """What became of an execution."""

    IMPORTED = "IMPORTED"
    REPAIRED = "REPAIRED"
    """An import that was broken off has been completed."""
    UNCHANGED = "UNCHANGED"
    """It was there already, the same."""
    CONTINUED = "CONTINUED"
    """A channel that was there already has got what the file had beyond it."""
    LEFT_OUT = "LEFT_OUT"
    """An execution that was open when it was exported, or a channel whose time has run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One execution of a file."""

    key: LogKey
    kind: str
    status: str
    events: int
    outcome: Outcome


@dataclass(slots=True)
class Checked:
    """What a sound file has."""

    executions: int = 0
    channels: int = 0


def check(sections: Iterable[Section], *, leave_out_open: bool) -> Checked:
    """Refuse a file of which anything cannot be imported, before anything is.

    Raises:
        HistoryRefused: as `History.require_sound` and `commits_of`; `HISTORY_OPEN`: an execution was open when it was exported, and
            those are not to be left out; `INVALID_EXPORT`: an execution, a channel or its name is in it twice.
    """
    seen: set[object] = set()
    checked = Checked()
    for section in sections:
        if isinstance(section, ChannelHistory):
            commits_of(section)
            names = {section.key, (section.making.org, section.making.name)}
            checked.channels += 1
        else:
            _require_importable(section, leave_out_open=leave_out_open)
            names = {section.key}
            checked.executions += 1
        if seen & names:
            raise refused(f"{section.key.execution_id} is in it twice")
        seen |= names
    return checked


def _require_importable(history: History, *, leave_out_open: bool) -> None:
    history.require_sound()
    if not history.is_closed and not leave_out_open:
        raise refused(
            f"{history.key.execution_id} was open when it was exported, and only what has ended can be imported",
            code="HISTORY_OPEN",
        )


def import_one(
    services: Services, history: History, *, org: OrgId | None = None, expires: bool = False
) -> Imported:
    """Import one execution that `check` has let through. Repeating it is harmless, and repairs what was broken off.

    Args:
        org: whose it is to be; None for whose it was.
        expires: whether retention applies to it, from its end, as if it had run here. Else it is kept for ever.

    Raises:
        HistoryRefused: `HISTORY_CONFLICT`: another log has that id, or one of another content is being imported under it;
            `PARENT_OPEN`: it is a child of an execution that is open here, which may yet begin it.
        StoreUnavailable: some of it may have been written; import it again.
    """
    key = LogKey(history.key.org if org is None else org, history.key.execution_id)
    imported = Imported(
        key=key,
        kind=history.state.kind,
        status=history.state.status.value,
        events=len(history.events),
        outcome=Outcome.IMPORTED,
    )
    if not history.is_closed:
        return replace(imported, outcome=Outcome.LEFT_OUT)
    claim = import_claims.find(services.directory, key)
    if claim is None and _is_there(services, key, history):
        return replace(imported, outcome=Outcome.UNCHANGED)
    _require_no_open_parent(services, key, history)
    import_claims.claim(services.directory, key, history.sha256, services.clock.now_ms())
    if claim is None and services.log.tail(key) is not None:
        import_claims.release(services.directory, key)
        raise _conflict(key)
    try:
        _write(services, key, history, expires=expires)
    except PreconditionFailed as error:
        raise StoreUnavailable(f"somebody else imports {key} at the same time; import it again") from error
    import_claims.release(services.directory, key)
    return imported if claim is None else replace(imported, outcome=Outcome.REPAIRED)


def _is_there(services: Services, key: LogKey, history: History) -> bool:
    """Whether the log is there, whole and the same.

    Raises:
        HistoryRefused: another is.
    """
    tail = services.log.tail(key)
    if tail is None:
        return False
    if tail.expires_at_ms is None and _is_same(services, key, history):
        return True
    raise _conflict(key)


def _is_same(services: Services, key: LogKey, history: History) -> bool:
    try:
        standing = services.log.read(key, after=0)
    except LogCorrupted:
        return False
    return history_of(history.key, standing, {}).sha256 == history.sha256


def _require_no_open_parent(services: Services, key: LogKey, history: History) -> None:
    """Only a child's parent could begin a log of that id meanwhile."""
    parent = history.state.parent
    if parent is None:
        return
    above = append.load(services, LogKey(key.org, ExecutionId(parent.workflow_execution_id)))
    if above is not None and above.state.closed is None:
        raise refused(
            f"{key.execution_id} is a child of {parent.workflow_execution_id}, which is open here",
            code="PARENT_OPEN",
        )


def _write(services: Services, key: LogKey, history: History, *, expires: bool) -> None:
    for sha256, body in sorted(history.payloads.items()):
        services.payloads.put(key.org, sha256, body)
    _keep_from_projector(services, key, history.state.sequence)
    *others, last = [_moved(commit, key) for commit in history.commits]
    for commit in [_with_checkpoint(last, history), *others]:
        try:
            append.put(services, commit)
        except AppendConflict:
            raise _conflict(key) from None
    if not _is_same(services, key, history):
        raise _conflict(key)
    for logged in history.task_logs:
        task_log_rows.add(services.directory, key, _batch(logged))
    _list(services, key, history)
    days = expiry.retention_days(services, key.org)
    if expires and days:
        due_ms = history.state.timestamp_ms + days * DAY_MS
        closed_executions.add(services.directory, Closed(key=key, due_ms=due_ms))


def _batch(logged: TaskLogBatch) -> Batch:
    return Batch(
        position=logged.position,
        attempt=logged.attempt,
        number=logged.number,
        records=logged.records,
        size=sum(map(size_of, logged.records)),
    )


def _moved(commit: Commit, key: LogKey) -> Commit:
    return replace(commit, key=key)


def _with_checkpoint(last: Commit, history: History) -> Commit:
    """The last commit, so that whoever reads it alone knows that the execution has ended.

    Without the checkpoint, where it would be too large, they know that they cannot tell.
    """
    checkpoint = pack_checkpoint(history.state)
    if len(last.events) + len(checkpoint) > MAX_COMMIT_BYTES:
        return last
    return replace(last, checkpoint=checkpoint, checkpoint_at=last.sequence)


def _keep_from_projector(services: Services, key: LogKey, sequence: int) -> None:
    row = listing_rows.read(services.directory, [key])[key]
    if row.projected < sequence:
        services.directory.write_together(listing_rows.keeping_from_projector(row, sequence))


def _list(services: Services, key: LogKey, history: History) -> None:
    row = listing_rows.read(services.directory, [key])[key]
    listed = listing_rows.listed_at(history.state, history.events, None)
    if row.listed != listed:
        services.directory.write_together(listing_rows.changing(row, history.state.sequence, listed))


def _conflict(key: LogKey) -> HistoryRefused:
    return refused(f"another log is there under {key}", code="HISTORY_CONFLICT")
