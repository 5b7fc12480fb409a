"""Importing channels: logs written into another store as they were, and found under their names once they are whole (ADR 0038).

Nobody finds a channel's log but by the directory row of its name. So its commits are written in order, under the positions,
times and commit ids that they had, each by the one conditional append; it is read back; and its row is the last write. A
channel that is here already, under the same log, goes on with what the file has more than it: what both have must be the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import PreconditionFailed, Put, Write
from flowstrand.engine.ids import OrgId
from flowstrand.errors import HistoryRefused, StoreUnavailable
from flowstrand.histories.channel import ChannelHistory
from flowstrand.histories.history import refused
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.log.records import unpack_record
from flowstrand.operations import import_claims
from flowstrand.operations.channel_commits import commits_of
from flowstrand.operations.importing import Outcome
from flowstrand.service import append
from flowstrand.service.channels import abandoned, rows, standing
from flowstrand.service.channels.rows import Channel
from flowstrand.service.channels.state import state_at
from flowstrand.service.container import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedChannel:
    """One channel of a file."""

    key: LogKey
    name: str
    appends: int
    outcome: Outcome


def import_channel(services: Services, history: ChannelHistory, *, org: OrgId | None = None) -> ImportedChannel:
    """Import one channel that `check` has let through. Repeating it is harmless, and repairs what was broken off.

    Args:
        org: whose it is to be; None for whose it was.

    Raises:
        HistoryRefused: `CHANNEL_CONFLICT`: its name is another channel's here, it was removed here, or what follows here is not
            what follows in the file.
        StoreUnavailable: some of it may have been written; import it again.
    """
    channel = _channel(history, org or history.making.org)
    commits = [replace(commit, key=channel.key) for commit in commits_of(history)]
    return ImportedChannel(
        key=channel.key,
        name=channel.name,
        appends=len(commits),
        outcome=_imported(services, channel, commits, history),
    )


def _channel(history: ChannelHistory, org: OrgId) -> Channel:
    making = history.making
    return Channel(
        org=org,
        name=making.name,
        log=making.key.execution_id,
        content_type=making.content_type,
        ttl_s=making.ttl_s,
        expires_at_ms=making.expires_at_ms,
        created_at_ms=making.created_at_ms,
    )


def _imported(services: Services, channel: Channel, commits: Sequence[Commit], history: ChannelHistory) -> Outcome:
    now_ms = services.clock.now_ms()
    row = rows.find(services.directory, channel.org, channel.name)
    if row is not None and row.log == channel.log:
        return _continued(services, row, commits, history)
    if channel.expires_at_ms is not None and channel.expires_at_ms <= now_ms:
        return Outcome.LEFT_OUT
    if row is not None and standing.of(services, row) is not None:
        raise _conflict(channel, "another channel has its name")
    claim = import_claims.find(services.directory, channel.key)
    if claim is None:
        _claim(services, channel, now_ms)
    _write(services, channel.key, history, commits)
    _require_same(channel, services.log.read(channel.key, after=0), commits)
    _name(services, channel, instead_of=row)
    return Outcome.IMPORTED if claim is None else Outcome.REPAIRED


def _continued(
    services: Services, channel: Channel, commits: Sequence[Commit], history: ChannelHistory
) -> Outcome:
    """What the file has beyond the channel that is here goes behind it."""
    if standing.of(services, channel) is None:
        raise _conflict(channel, "its time has run out here")
    here = services.log.read(channel.key, after=0)
    _require_same(channel, here, commits)
    if len(here) >= len(commits):
        return Outcome.UNCHANGED
    _write(services, channel.key, history, commits[len(here) :])
    return Outcome.CONTINUED


def _claim(services: Services, channel: Channel, now_ms: int) -> None:
    """Nobody but an import can have begun this log without naming it, and nobody removes it meanwhile."""
    identity = sha256(str(channel.key).encode()).hexdigest()
    import_claims.claim(services.directory, channel.key, identity, now_ms)
    if services.log.tail(channel.key) is not None:
        import_claims.release(services.directory, channel.key)
        raise _conflict(channel, "it was removed here, and its log has not gone yet; that takes some hours")


def _write(services: Services, key: LogKey, history: ChannelHistory, commits: Sequence[Commit]) -> None:
    for digest, body in sorted(history.payloads.items()):
        services.payloads.put(key.org, digest, body)
    for commit in commits:
        try:
            append.put(services, commit)
        except AppendConflict:
            raise _went_on(history) from None


def _name(services: Services, channel: Channel, *, instead_of: Channel | None) -> None:
    """From now on it is found: its name leads to its log, and the import has ended. Importing is a use of it."""
    if channel.ttl_s is not None:
        rows.note_use(services.directory, channel, services.clock.now_ms())
    writes: list[Write] = [
        rows.putting(channel, instead_of=instead_of),
        import_claims.releasing(channel.key),
    ]
    writes += [_looked_at(services, key) for key in _for_the_janitor(channel, instead_of)]
    try:
        services.directory.write_together(writes)
    except PreconditionFailed as error:
        raise StoreUnavailable(f"the name {channel.name} was taken meanwhile; import it again") from error


def _for_the_janitor(channel: Channel, instead_of: Channel | None) -> list[LogKey]:
    ends = channel.ttl_s is not None or channel.expires_at_ms is not None
    replaced = [] if instead_of is None else [instead_of.key]
    return [*replaced, channel.key] if ends else replaced


def _looked_at(services: Services, key: LogKey) -> Put:
    partition, row = abandoned.row_of(services, key).address
    return Put(partition=partition, key=row, data={})


def _require_same(channel: Channel, here: Sequence[Commit], commits: Sequence[Commit]) -> None:
    for there, wanted in zip(here, commits, strict=False):
        if _facts(there) != _facts(wanted):
            raise _conflict(channel, f"another append is here at {wanted.sequence}")


def _facts(commit: Commit) -> tuple[object, ...]:
    return commit.sequence, commit.commit_id, commit.written_at_ms, unpack_record(commit), state_at(commit)


def _went_on(history: ChannelHistory) -> HistoryRefused:
    name = history.making.name
    return refused(f"the channel {name} has been appended to here meanwhile", code="CHANNEL_CONFLICT")


def _conflict(channel: Channel, why: str) -> HistoryRefused:
    return refused(f"the channel {channel.name} cannot be imported: {why}", code="CHANNEL_CONFLICT")
