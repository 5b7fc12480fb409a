"""Importing: the log that it was, closed at every moment, whoever dies when, and never in another's place."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Conflict, FlowstrandError, HistoryRefused, StoreUnavailable
from flowstrand.histories.history import History, TaskLogBatch
from flowstrand.histories.writing import history_of
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.retention import DAY_MS
from flowstrand.operations import import_claims
from flowstrand.operations.importing import Checked, Outcome, check, import_one
from flowstrand.queues.messages import Wake
from flowstrand.service import append, feed, janitor, open_executions, signals, standalone, wakes, workers
from flowstrand.service.projection import project
from flowstrand.service.standalone import TaskRequest
from flowstrand.service.workers import Registration
from tests.unit.operations.exported import RECORD, completed, exported, file_of, listed_ids, log, log_of, order
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, key_of, kill


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


@pytest.fixture
def source() -> ServiceWorld:
    return ServiceWorld()


@pytest.fixture
def history(source: ServiceWorld) -> History:
    """Of an order that has ended, with payloads and what a task has logged."""
    execution = completed(source)
    log(source, execution, TaskLogBatch(position=2, attempt=1, number=1, records=(RECORD,)))
    [history] = exported(source, execution)
    return history


async def child(driver: Driver, input: JsonValue) -> JsonValue:
    return input


async def parent(driver: Driver, input: JsonValue) -> JsonValue:
    given: JsonValue = await driver.start_child("child", input, name="the-child", queue="default")
    return given


def test_an_imported_log_is_the_log_that_was_exported(
    source: ServiceWorld, world: ServiceWorld, history: History
) -> None:
    assert import_one(world.services, history).outcome is Outcome.IMPORTED
    execution = history.key.execution_id
    assert log_of(world, execution) == log_of(source, execution)
    assert world.disk.bodies == source.disk.bodies
    [again] = exported(world, execution)
    assert again.sha256 == history.sha256
    assert again.task_logs == history.task_logs != ()


def test_a_standalone_task_comes_with_what_it_has_logged(source: ServiceWorld, world: ServiceWorld) -> None:
    workers.register(source.services, ORG, Registration(name="w", queues=("default",), task_kinds=("work",)))
    standalone.start(source.services, ORG, TaskRequest(kind="work", input="hat"))
    source.settle()
    [task] = source.claim()
    source.complete(task, "done")
    log(source, task.task_execution_id, TaskLogBatch(position=0, attempt=1, number=1, records=(RECORD,)))
    [history] = exported(source, task.task_execution_id)
    assert import_one(world.services, history).outcome is Outcome.IMPORTED
    [again] = exported(world, task.task_execution_id)
    assert (again.sha256, again.task_logs) == (history.sha256, history.task_logs)
    assert listed_ids(world) == set(), "tasks are in no listing"


def test_importing_again_changes_nothing(world: ServiceWorld, history: History) -> None:
    import_one(world.services, history)
    before = dict(world.disk.commits), dict(world.disk.items)
    assert import_one(world.services, history).outcome is Outcome.UNCHANGED
    assert (dict(world.disk.commits), dict(world.disk.items)) == before


def test_an_export_goes_back_into_where_it_came_from_and_changes_nothing(
    source: ServiceWorld, history: History
) -> None:
    assert import_one(source.services, history).outcome is Outcome.UNCHANGED


def test_the_listing_has_it_and_the_feed_has_not(world: ServiceWorld, history: History) -> None:
    import_one(world.services, history)
    assert listed_ids(world) == {history.key.execution_id}
    assert feed.end(world.services, ORG) == 0


def test_what_the_projector_sees_of_it_is_projected_already(world: ServiceWorld, history: History) -> None:
    import_one(world.services, history)
    assert project(world.services, {history.key: history.state.sequence}) == {}
    assert feed.end(world.services, ORG) == 0


def test_nothing_is_woken_by_it_or_swept(world: ServiceWorld, history: History) -> None:
    import_one(world.services, history)
    assert world.wakes() == []
    assert list(open_executions.rows(world.services.directory)) == []
    before = log_of(world, history.key.execution_id)
    for commit in history.commits:
        wakes.handle(
            world.services, Wake(org=ORG, execution_id=history.key.execution_id, sequence=commit.sequence)
        )
    assert log_of(world, history.key.execution_id) == before
    assert (world.mail.control, world.mail.tasks) == ([], [])


def _calls(history: History) -> int:
    world = ServiceWorld()
    world.seam.calls.clear()
    import_one(world.services, history)
    return len(world.seam.calls)


class _DiesAt:
    """Kills the process at its nth call to any port."""

    def __init__(self, call: int) -> None:
        self._left = count(call, -1)

    def __call__(self, _name: str) -> None:
        if next(self._left) == 0:
            kill()


def test_whenever_it_dies_the_log_is_closed_to_everybody_and_repeating_it_makes_it_whole(
    source: ServiceWorld, history: History
) -> None:
    execution = history.key.execution_id
    total = _calls(history)
    for call in range(total):
        world = ServiceWorld()
        world.code.deployed["order"] = order
        world.seam.gate = _DiesAt(call)
        with pytest.raises(Killed):
            import_one(world.services, history)
        world.seam.gate = lambda _: None
        world.restart()
        begun = len(world.commits(execution))
        with pytest.raises(FlowstrandError):  # nobody can write to it
            signals.signal(world.services, ORG, execution, name="hello", value=None)
        try_to_run(world, execution)
        assert len(world.commits(execution)) == begun
        outcome = import_one(world.services, history).outcome
        assert outcome in {Outcome.IMPORTED, Outcome.REPAIRED, Outcome.UNCHANGED}
        assert log_of(world, execution) == log_of(source, execution)
        assert listed_ids(world) == {execution}
        assert import_claims.find(world.services.directory, history.key) is None
    assert total > 10


def try_to_run(world: ServiceWorld, execution: str) -> None:
    """A wake for it comes from somewhere."""
    try:
        wakes.handle(world.services, Wake(org=ORG, execution_id=key_of(execution).execution_id, sequence=1))
    except FlowstrandError:
        return  # it cannot be read yet, and is left alone


def test_a_store_that_fails_now_and_then_is_asked_again(
    source: ServiceWorld, world: ServiceWorld, history: History
) -> None:
    world.seam.after("log.put", lambda: None, _unavailable, lambda: None, _unavailable)
    import_one(world.services, history)
    assert log_of(world, history.key.execution_id) == log_of(source, history.key.execution_id)


def _unavailable() -> None:
    raise StoreUnavailable("the reply is lost")


def test_another_log_under_its_id_is_refused_and_left_as_it_is(world: ServiceWorld, history: History) -> None:
    other = _rewritten(history)
    import_one(world.services, other)
    before = log_of(world, history.key.execution_id)
    with pytest.raises(HistoryRefused) as refused:
        import_one(world.services, history)
    assert refused.value.code == "HISTORY_CONFLICT"
    assert log_of(world, history.key.execution_id) == before
    assert import_claims.find(world.services.directory, history.key) is None


def test_while_one_import_is_broken_off_another_content_is_refused(world: ServiceWorld, history: History) -> None:
    world.seam.after("log.put", kill)
    with pytest.raises(Killed):
        import_one(world.services, history)
    world.restart()
    with pytest.raises(HistoryRefused) as refused:
        import_one(world.services, _rewritten(history))
    assert refused.value.code == "HISTORY_CONFLICT"
    assert import_one(world.services, history).outcome is Outcome.REPAIRED


def _rewritten(history: History) -> History:
    commits = [replace(commit, commit_id=f"other-{commit.sequence}") for commit in history.commits]
    return history_of(history.key, commits, history.payloads)


def test_an_open_log_is_refused_or_left_out(source: ServiceWorld, world: ServiceWorld) -> None:
    closed = completed(source)
    histories = exported(source, source.begin(order), closed)
    with pytest.raises(HistoryRefused) as refused:
        check(histories, leave_out_open=False)
    assert refused.value.code == "HISTORY_OPEN"
    assert check(histories, leave_out_open=True) == Checked(executions=2)
    outcomes = [import_one(world.services, history).outcome for history in histories]
    assert outcomes == [Outcome.LEFT_OUT, Outcome.IMPORTED]
    assert list(world.disk.commits) == [histories[1].key]


def test_a_child_of_an_execution_that_is_open_here_is_refused(source: ServiceWorld, world: ServiceWorld) -> None:
    source.code.deployed["child"] = child
    [above, below] = exported(source, source.begin(parent))
    world.code.deployed["parent"] = parent
    world.services.log.append(replace(above.commits[0], key=above.key))
    with pytest.raises(HistoryRefused) as refused:
        import_one(world.services, below)
    assert refused.value.code == "PARENT_OPEN"
    assert list(world.disk.commits) == [above.key]


def test_a_family_is_imported_whole(source: ServiceWorld, world: ServiceWorld) -> None:
    source.code.deployed["child"] = child
    histories = exported(source, source.begin(parent, "hat"))
    for history in histories:
        import_one(world.services, history)
    assert {key: len(commits) for key, commits in world.disk.commits.items()} == {
        key: len(commits) for key, commits in source.disk.commits.items()
    }


def test_it_may_become_another_orgs(source: ServiceWorld, world: ServiceWorld, history: History) -> None:
    other = replace(history.key, org="other").org  # type: ignore[arg-type]  # a name like any
    imported = import_one(world.services, history, org=other)
    assert str(imported.key) == f"other#{history.key.execution_id}"
    assert import_one(world.services, history, org=other).outcome is Outcome.UNCHANGED
    assert append.load(world.services, history.key) is None
    assert {org for org, _ in world.disk.bodies} == {"other"}


def test_it_is_kept_for_ever_unless_retention_is_to_apply(world: ServiceWorld, history: History) -> None:
    import_one(world.services, history)
    world.clock.advance(1_000 * DAY_MS)
    cleaned = janitor.run(world.services, until_ms=world.clock.now_ms() + 1)
    assert cleaned.expired == 0


def test_retention_counts_from_its_end(world: ServiceWorld, history: History) -> None:
    import_one(world.services, history, expires=True)
    world.clock.advance(29 * DAY_MS)
    assert janitor.run(world.services, until_ms=world.clock.now_ms() + 1).expired == 0
    world.clock.advance(2 * DAY_MS)
    assert janitor.run(world.services, until_ms=world.clock.now_ms() + 1).expired == 1


def test_an_imported_log_takes_nothing_more(world: ServiceWorld, history: History) -> None:
    import_one(world.services, history)
    with pytest.raises(Conflict):
        signals.signal(world.services, ORG, history.key.execution_id, name="hello", value=None)


def test_a_file_with_one_execution_twice_is_refused(source: ServiceWorld) -> None:
    execution = completed(source)
    [history] = exported(source, execution)
    with pytest.raises(HistoryRefused, match="twice"):
        check([history, history], leave_out_open=False)
    assert len(file_of(source, execution)) > 4
