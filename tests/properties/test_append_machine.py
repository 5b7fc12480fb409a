"""The append keeps its laws on every store, and the machine that says so finds designs that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from uuid import uuid4

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from flowstrand.log.dynamodb import DynamoRows, create_log_table
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.rows import CommitRows
from flowstrand.log.sqlite import SqliteRows
from flowstrand.log.sqlite_database import SqliteDatabase
from tests.contract.endpoints import dynamodb
from tests.properties.append_machine import (
    LAWS,
    AppendMachine,
    AtomicCounter,
    Sequencer,
    TailPlusOne,
    Violation,
)

STEPS = 40
# Enough to find any of the wrong designs below many times over, and no time spent on making the example small.
HUNT = settings(
    max_examples=500, stateful_step_count=STEPS, phases=[Phase.generate], database=None, print_blob=False
)


class DictRows:
    """Rows in memory. `guarded` is whether a put minds what stands under its key."""

    def __init__(self, *, guarded: bool) -> None:
        self._guarded = guarded
        self._rows: dict[tuple[str, int], Commit] = {}

    def put(self, commit: Commit) -> str | None:
        standing = self._rows.get((str(commit.key), commit.sequence))
        if self._guarded and standing is not None:
            return standing.commit_id
        self._rows[str(commit.key), commit.sequence] = commit
        return None

    def newest(self, key: LogKey, *, up_to: int | None, consistent: bool) -> Commit | None:
        found = [one for one in self._of(key) if up_to is None or one.sequence <= up_to]
        return found[-1] if found else None

    def following(self, key: LogKey, sequence: int, *, page: int | None, consistent: bool) -> Iterator[Commit]:
        return (one for one in self._of(key) if one.sequence > sequence)

    def _of(self, key: LogKey) -> list[Commit]:
        found = (commit for (execution, _), commit in self._rows.items() if execution == str(key))
        return sorted(found, key=lambda commit: commit.sequence)


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def rows(request: pytest.FixtureRequest) -> Iterator[CommitRows]:
    match request.param:
        case "memory":
            yield DictRows(guarded=True)
        case "sqlite":
            database = SqliteDatabase.temporary()
            yield SqliteRows(database)
            database.close()
        case _:
            with dynamodb() as client:
                name = f"flowstrand-{uuid4().hex}"
                create_log_table(client, name)
                yield DynamoRows(client, name)
                client.delete_table(TableName=name)


def test_the_conditional_append_keeps_every_law(rows: CommitRows) -> None:
    examples = settings().max_examples // (10 if isinstance(rows, DynamoRows) else 1)
    run_state_machine_as_test(
        machine(rows, TailPlusOne), settings=settings(max_examples=examples, stateful_step_count=STEPS)
    )


def test_a_number_taken_before_the_put_is_found_out() -> None:
    with pytest.raises(Violation):
        run_state_machine_as_test(machine(DictRows(guarded=True), AtomicCounter), settings=HUNT)


def test_a_number_taken_before_the_put_puts_consequence_before_cause_where_it_leaves_no_gap() -> None:
    with pytest.raises(Violation, match="causal"):
        run_state_machine_as_test(
            machine(DictRows(guarded=True), AtomicCounter, forgiven={"dense", "immutable", "followed"}),
            settings=HUNT,
        )


def test_a_put_without_a_condition_loses_what_was_acknowledged_and_is_found_out() -> None:
    with pytest.raises(Violation, match="kept"):
        run_state_machine_as_test(
            machine(DictRows(guarded=False), TailPlusOne, forgiven=LAWS - {"kept"}), settings=HUNT
        )


def machine(
    rows: CommitRows, sequencer: Callable[[], Sequencer], forgiven: AbstractSet[str] = frozenset()
) -> type[AppendMachine]:
    """The machine over these rows; each example gets a log and a sequencer of its own."""

    class Machine(AppendMachine):
        def __init__(self) -> None:
            super().__init__(rows, sequencer(), frozenset(forgiven))

    return Machine
