"""`EventLog`: the port that every store of commits implements (laws 1, 2 and 4).

A commit is one decision's events, written at once and never changed. Its key is the sequence of its first event, so that
two writers who read the same tail want the same key, and only one gets it: that write is the commit point, the
ordering and the fencing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import ExecutionId, OrgId


@dataclass(frozen=True, slots=True)
class LogKey:
    """Names one execution's log."""

    org: OrgId
    execution_id: ExecutionId

    def __str__(self) -> str:
        """The partition key: `{org}#{execution_id}`."""
        return f"{self.org}#{self.execution_id}"

    @classmethod
    def parse(cls, text: str) -> LogKey:
        """The inverse of `str`."""
        org, _, execution = text.partition("#")
        return cls(OrgId(org), ExecutionId(execution))


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One row of the log.

    Attributes:
        sequence: of the first event in it.
        count: how many events it holds, at least 1.
        events: the events, packed by `log.packing`.
        written_at_ms: epoch milliseconds; the timestamp of all its events; never earlier than the commit before.
        commit_id: chosen by the writer for this attempt; how a writer recognises its own write.
        checkpoint: the state folded up to and including this commit, packed; in some commits only.
        checkpoint_at: the sequence of the newest commit that has a checkpoint (this one included), or None.
        expires_at_ms: until when the store keeps it; None for as long as nobody says otherwise. `log.retention` sets it, once and
            long after the log has ended, and no writer does. Where the newest commit of a log has it, the log has expired.
    """

    key: LogKey
    sequence: int
    count: int
    events: bytes
    written_at_ms: int
    commit_id: str
    checkpoint: bytes | None = None
    checkpoint_at: int | None = None
    expires_at_ms: int | None = None

    @property
    def last_sequence(self) -> int:
        """The sequence of its last event."""
        return self.sequence + self.count - 1


class AppendConflict(Exception):
    """Another writer's commit already begins at this sequence. Read it, decide again."""


class EventLog(Protocol):
    """A store of commits. Every method raises `StoreUnavailable` when the store throttles or fails."""

    def append(self, commit: Commit) -> None:
        """Write `commit` if no commit begins at its sequence.

        Finding there a commit with the same `commit_id` is success: the write had happened and its reply was lost.

        Raises:
            AppendConflict: another commit begins there.
            StoreUnavailable: it may or may not have been written; append the same commit again.
        """
        ...

    def tail(self, key: LogKey) -> Commit | None:
        """The newest commit, read consistently; None for an empty log."""
        ...

    def commit_at(self, key: LogKey, sequence: int) -> Commit | None:
        """The commit that holds `sequence`, read consistently; None where the log ends before it."""
        ...

    def read(
        self, key: LogKey, *, after: int, limit: int | None = None, consistent: bool = True
    ) -> Sequence[Commit]:
        """Commits that hold events beyond `after`, in order, contiguous.

        The first may also hold events at or before `after`: a cursor may point into the middle of a commit.

        Args:
            limit: stop after the commit that brings the events beyond `after` to this many; None reads to the end.
            consistent: an eventually consistent read may end early, but a gap in it is read again consistently.

        Raises:
            LogCorrupted: the log is not contiguous.
        """
        ...

    def news(self, key: LogKey, *, after: int, limit: int, consistent: bool = False) -> Sequence[Commit]:
        """Commits behind the one that ends with `after`, in order, contiguous: what somebody asks for who has read up to there.

        Where there are none, which is so most of the time, this is the least that a store can be asked. It is not for a position
        within a commit: the rest of that one would not be found.

        Args:
            limit: as that of `read`.
            consistent: an eventually consistent read may end early, but a gap in it is read again consistently.

        Raises:
            LogCorrupted: the log is not contiguous.
        """
        ...
