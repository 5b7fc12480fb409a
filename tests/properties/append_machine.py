"""Concurrent writers on one log, step by step, in any order that hypothesis can think of (laws 1, 2, 3 and 9).

A writer reads, decides and puts in separate steps, so that any step of another can come between. Requests and replies
are lost, delayed and repeated; writers crash; readers and writers may read from a replica that lags or has holes.
After every step the log itself is compared with what the laws promise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flowstrand.errors import LogCorrupted, StoreUnavailable
from flowstrand.log.packing import pack_json, unpack_json
from flowstrand.log.port import AppendConflict, Commit
from flowstrand.log.rows import CommitRows, RowLog
from tests.contract.commits import WRITTEN_AT_MS, new_key
from tests.contract.faulty_rows import FaultyRows

WRITERS = 3
LAWS = frozenset({"immutable", "dense", "once", "kept", "causal", "followed"})

counts = st.integers(1, 3)
sequences = st.integers(1, 12)


class Violation(AssertionError):
    """A law does not hold. `law` names it."""

    def __init__(self, law: str, message: str) -> None:
        super().__init__(f"{law}: {message}")
        self.law = law


class Sequencer(Protocol):
    """Where a writer's commit takes its sequence from."""

    def next(self, read_up_to: int, count: int) -> int: ...


class TailPlusOne:
    """Flowstrand's: the sequence after the last one that the writer has read."""

    def next(self, read_up_to: int, count: int) -> int:
        return read_up_to + 1


class AtomicCounter:
    """The design that this machine exists to refute: take a number first, put the event under it afterwards."""

    def __init__(self) -> None:
        self._taken = 0

    def next(self, read_up_to: int, count: int) -> int:
        first = self._taken + 1
        self._taken += count
        return first


@dataclass
class Writer:
    """One process.

    Attributes:
        position: the last sequence that it has read, in the commits `seen`.
        draft: what it has decided and not heard of yet.
        is_waiting: the draft has been sent.
    """

    position: int = 0
    seen: list[str] = field(default_factory=list)
    draft: Commit | None = None
    is_waiting: bool = False

    def sent(self) -> Commit:
        """The draft, on its way."""
        assert self.draft is not None
        return self.draft


class AppendMachine(RuleBasedStateMachine):
    """Any number of interleaved steps on one log.

    Args:
        rows: the store under test.
        sequencer: where commits take their sequences from.
        forgiven: laws that are not checked, to see whether another catches the same design.
    """

    def __init__(self, rows: CommitRows, sequencer: Sequencer, forgiven: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.rows = FaultyRows(rows)
        self.log = RowLog(self.rows)
        self.sequencer = sequencer
        self.forgiven = forgiven
        self.key = new_key()
        self.writers = [Writer() for _ in range(WRITERS)]
        self.in_flight: list[Commit] = []
        self.acknowledged: list[Commit] = []
        self.followed: list[Commit] = []
        self.snapshot: list[Commit] = []

    # --- writers --------------------------------------------------------------------------------

    @initialize(counts=st.lists(counts, max_size=4))
    def writers_have_been_here(self, counts: list[int]) -> None:
        for count in counts:
            self._write(self.writers[0], count)

    @precondition(lambda self: self._idle())
    @rule(data=st.data(), count=counts)
    def a_writer_is_not_disturbed(self, data: st.DataObject, count: int) -> None:
        self._write(data.draw(st.sampled_from(self._idle())), count)

    @precondition(lambda self: self._idle())
    @rule(data=st.data())
    def a_writer_reads(self, data: st.DataObject) -> None:
        self._look(data.draw(st.sampled_from(self._idle())), consistent=True)

    @precondition(lambda self: self._idle())
    @rule(data=st.data(), end=sequences, holes=st.frozensets(sequences, max_size=2))
    def a_writer_reads_a_lagging_replica(self, data: st.DataObject, end: int, holes: frozenset[int]) -> None:
        self.rows.replica_end, self.rows.replica_holes = end, holes
        self._look(data.draw(st.sampled_from(self._idle())), consistent=False)

    @precondition(lambda self: self._idle())
    @rule(data=st.data(), count=counts, reads=st.booleans())
    def a_writer_decides(self, data: st.DataObject, count: int, reads: bool) -> None:
        writer = data.draw(st.sampled_from(self._idle()))
        if reads:
            self._look(writer, consistent=True)
        self._decide(writer, count)

    @precondition(lambda self: self._decided())
    @rule(data=st.data(), repeated=st.booleans())
    def a_writer_puts(self, data: st.DataObject, repeated: bool) -> None:
        self.rows.repeats_puts = repeated
        self._append(data.draw(st.sampled_from(self._decided())))
        self.rows.repeats_puts = False

    @precondition(lambda self: self._decided())
    @rule(data=st.data(), arrived=st.booleans())
    def a_put_is_not_heard_of(self, data: st.DataObject, arrived: bool) -> None:
        writer = data.draw(st.sampled_from(self._decided()))
        self.rows.lost_replies, self.rows.lost_requests = int(arrived), int(not arrived)
        with pytest.raises(StoreUnavailable):
            self._append(writer)
        writer.is_waiting = True

    @precondition(lambda self: self._decided())
    @rule(data=st.data())
    def a_put_is_delayed(self, data: st.DataObject) -> None:
        writer = data.draw(st.sampled_from(self._decided()))
        self.in_flight.append(writer.sent())
        writer.is_waiting = True

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def a_delayed_put_arrives(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.in_flight) - 1))
        self.rows.put(self.in_flight.pop(index))

    @precondition(lambda self: self._waiting())
    @rule(data=st.data())
    def a_writer_puts_again_what_it_did_not_hear_of(self, data: st.DataObject) -> None:
        self._append(data.draw(st.sampled_from(self._waiting())))

    @rule(which=st.integers(0, WRITERS - 1))
    def a_writer_crashes(self, which: int) -> None:
        self.writers[which] = Writer()

    # --- readers --------------------------------------------------------------------------------

    @rule(limit=st.none() | counts)
    def a_reader_follows(self, limit: int | None) -> None:
        self._follow(limit, consistent=True)

    @rule(limit=st.none() | counts, end=sequences, holes=st.frozensets(sequences, max_size=2))
    def a_reader_follows_a_lagging_replica(self, limit: int | None, end: int, holes: frozenset[int]) -> None:
        self.rows.replica_end, self.rows.replica_holes = end, holes
        self._follow(limit, consistent=False)

    # --- laws -----------------------------------------------------------------------------------

    @invariant()
    def the_log_keeps_its_laws(self) -> None:
        commits = list(self.rows.following(self.key, 0, page=None, consistent=True))
        ids = [commit.commit_id for commit in commits]
        self._require("immutable", commits[: len(self.snapshot)] == self.snapshot, "what was written has changed")
        self._require("dense", _is_dense(commits), f"{[(one.sequence, one.count) for one in commits]}")
        self._require("once", len(set(ids)) == len(ids), f"written twice: {ids}")
        self._require("kept", all(one in commits for one in self.acknowledged), "an acknowledged commit is gone")
        for index, commit in enumerate(commits):
            saw = unpack_json(commit.events)
            self._require("causal", saw == ids[:index], f"{ids[index]} had read {saw}, not {ids[:index]}")
        count = len(self.followed)
        self._require("followed", commits[:count] == self.followed, "a reader skipped, repeated or reordered")
        self.snapshot = commits

    # --- steps ----------------------------------------------------------------------------------

    def _idle(self) -> list[Writer]:
        return [writer for writer in self.writers if writer.draft is None]

    def _decided(self) -> list[Writer]:
        return [writer for writer in self.writers if writer.draft is not None and not writer.is_waiting]

    def _waiting(self) -> list[Writer]:
        return [writer for writer in self.writers if writer.is_waiting]

    def _look(self, writer: Writer, *, consistent: bool) -> None:
        for commit in self._read(writer.position, None, consistent=consistent):
            writer.position = commit.last_sequence
            writer.seen.append(commit.commit_id)

    def _decide(self, writer: Writer, count: int) -> None:
        writer.draft = Commit(
            key=self.key,
            sequence=self.sequencer.next(writer.position, count),
            count=count,
            events=pack_json(writer.seen),
            written_at_ms=WRITTEN_AT_MS,
            commit_id=uuid4().hex,
        )

    def _write(self, writer: Writer, count: int) -> None:
        self._look(writer, consistent=True)
        self._decide(writer, count)
        self._append(writer)

    def _append(self, writer: Writer) -> None:
        commit = writer.sent()
        try:
            self.log.append(commit)
        except AppendConflict:
            pass
        else:
            self.acknowledged.append(commit)
        writer.draft, writer.is_waiting = None, False

    def _follow(self, limit: int | None, *, consistent: bool) -> None:
        position = self.followed[-1].last_sequence if self.followed else 0
        self.followed.extend(self._read(position, limit, consistent=consistent))

    def _read(self, after: int, limit: int | None, *, consistent: bool) -> list[Commit]:
        try:
            return list(self.log.read(self.key, after=after, limit=limit, consistent=consistent))
        except LogCorrupted as error:
            self._require("dense", False, str(error))
            return []

    def _require(self, law: str, holds: bool, message: str) -> None:
        if not holds and law not in self.forgiven:
            raise Violation(law, message)


def _is_dense(commits: list[Commit]) -> bool:
    ended = 0
    for commit in commits:
        if commit.sequence != ended + 1:
            return False
        ended = commit.last_sequence
    return True
