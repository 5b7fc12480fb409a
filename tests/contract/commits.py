"""Commits for the log's contract: their events are opaque bytes, as they are to a store."""

from __future__ import annotations

from uuid import uuid4

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.log.port import Commit, EventLog, LogKey

WRITTEN_AT_MS = 1_795_000_000_000


def new_key() -> LogKey:
    """A log that nobody has written to."""
    return LogKey(OrgId("acme"), ExecutionId(uuid4().hex))


def commit(
    key: LogKey,
    sequence: int,
    count: int = 1,
    *,
    size: int = 10,
    checkpoint: bytes | None = None,
    checkpoint_at: int | None = None,
) -> Commit:
    """A commit with an id of its own and `size` bytes of events."""
    return Commit(
        key=key,
        sequence=sequence,
        count=count,
        events=bytes([sequence % 251]) * size,
        written_at_ms=WRITTEN_AT_MS + sequence,
        commit_id=uuid4().hex,
        checkpoint=checkpoint,
        checkpoint_at=checkpoint_at,
    )


def append_all(log: EventLog, key: LogKey, *counts: int, size: int = 10) -> list[Commit]:
    """Append one commit per count, each behind the last."""
    commits: list[Commit] = []
    sequence = 1
    for count in counts:
        commits.append(commit(key, sequence, count, size=size))
        log.append(commits[-1])
        sequence += count
    return commits
