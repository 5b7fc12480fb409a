"""The projector: feed and listing, a safety wake for each commit with effects, an alarm for each that was changed, the sweep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from flowstrand.directory.port import Write
from flowstrand.engine.events import WorkflowStatus
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import LogCorrupted, StoreUnavailable
from flowstrand.local.table_stream import stream_record
from flowstrand.log.port import LogKey
from flowstrand.observability import metrics
from flowstrand.queues.messages import Wake
from flowstrand.service import executions, feed, listing_rows
from flowstrand.service.executions import StartRequest
from tests.functions.stack import ACME, APPROVAL, CLAIMED, QUEUED, STANDALONE, Stack, first_commit, logged, sample

KEY = LogKey(ACME, CLAIMED)


def wakes_after(stack: Stack, delay_ms: int) -> list[Wake]:
    """The wakes that are there once `delay_ms` have passed, and nothing that was there before."""
    stack.clock.sleep_ms(delay_ms)
    received = stack.control.receive(10, 0)
    return [item.message for item in received if isinstance(item.message, Wake)]


def drain(stack: Stack) -> None:
    """Acknowledge everything that is queued by now."""
    while received := stack.control.receive(10, 0):
        for item in received:
            stack.control.acknowledge(item)


def record(execution: ExecutionId, number: int) -> Any:
    """The first commit of a log as the stream tells it."""
    return stream_record(first_commit(execution), number)


def end(stack: Stack) -> None:
    """Let the claimed execution come to its end."""
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))
    assert executions.get(stack.services, ACME, CLAIMED).status is WorkflowStatus.COMPLETED


def test_a_commit_with_effects_gets_a_second_wake_later(stack: Stack) -> None:
    drain(stack)

    answer = stack.invoke("projector", sample("projector/insert"))

    assert answer == {"batchItemFailures": []}
    assert wakes_after(stack, 29_000) == []
    assert wakes_after(stack, 1_000) == [Wake(org=ACME, execution_id=CLAIMED, sequence=1)]


def test_a_commit_brings_its_log_into_the_feed_and_the_listing(stack: Stack) -> None:
    assert stack.invoke("projector", sample("projector/insert")) == {"batchItemFailures": []}

    page = feed.read(stack.services, ACME, after=0)
    assert [(event.key.execution_id, event.event.sequence) for event in page.events] == [
        (CLAIMED, sequence) for sequence in (1, 2, 3, 4)
    ]
    row = listing_rows.read(stack.services.directory, [KEY])[KEY]
    assert row.projected == 4
    assert row.listed is not None
    assert row.listed.status is WorkflowStatus.WAITING


def test_the_logs_of_a_batch_are_projected_in_one_transaction(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions: list[Any] = []
    directory = stack.services.directory
    write = directory.write_together

    def counted(writes: Sequence[Write]) -> None:
        transactions.append(writes)
        write(writes)

    monkeypatch.setattr(directory, "write_together", counted)

    answer = stack.invoke("projector", {"Records": [record(CLAIMED, 0), record(QUEUED, 1), record(APPROVAL, 2)]})

    assert answer == {"batchItemFailures": []}
    assert len(transactions) == 1
    assert {e.key.execution_id for e in feed.read(stack.services, ACME, after=0).events} == {
        CLAIMED,
        QUEUED,
        APPROVAL,
    }


def test_a_commit_of_stream_chunks_alone_costs_no_look_at_the_directory(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(stack)
    stack.invoke("tasks", sample("tasks/stream"))
    monkeypatch.setattr(stack.services.directory, "get_many", None)
    [*_, chunks] = stack.log.read(KEY, after=4)

    answer = stack.invoke("projector", {"Records": [stream_record(chunks)]})

    assert answer == {"batchItemFailures": []}
    assert wakes_after(stack, 30_000) == []


def test_an_inbox_item_gets_a_second_wake_later(stack: Stack) -> None:
    drain(stack)

    answer = stack.invoke("projector", sample("projector/inbox-item"))

    assert answer == {"batchItemFailures": []}
    assert wakes_after(stack, 29_000) == []
    assert wakes_after(stack, 1_000) == [Wake(org=ACME, execution_id=CLAIMED, sequence=5)]


@pytest.mark.parametrize(
    ("change", "partition"),
    [("REMOVE", f"inbox#acme#{CLAIMED}"), ("INSERT", "heartbeats"), ("INSERT", "inbox#acme#x")],
)
def test_other_rows_of_the_directory_wake_nobody(stack: Stack, change: str, partition: str) -> None:
    drain(stack)
    event = sample("projector/inbox-item")
    event["Records"][0] |= {"eventName": change}
    event["Records"][0]["dynamodb"]["Keys"]["partition"] = {"S": partition}

    answer = stack.invoke("projector", event)

    assert answer == {"batchItemFailures": []}
    assert wakes_after(stack, 30_000) == []


@pytest.mark.parametrize("name", ["projector/modify", "projector/remove"])
def test_a_changed_commit_raises_an_alarm_and_holds_up_nothing(
    stack: Stack, name: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = stack.invoke("projector", sample(name))

    assert answer == {"batchItemFailures": []}
    assert '"ChangedCommits":[1.0]' in capsys.readouterr().out.replace(" ", "")
    assert CLAIMED in logged(caplog)


def test_a_commit_that_expired_raises_none(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    answer = stack.invoke("projector", sample("projector/remove-expired"))

    assert answer == {"batchItemFailures": []}
    assert "ChangedCommits" not in capsys.readouterr().out


def test_an_expiry_set_on_an_ended_log_is_the_janitors(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    end(stack)

    answer = stack.invoke("projector", sample("projector/expiry-set"))

    assert answer == {"batchItemFailures": []}
    assert "ChangedCommits" not in capsys.readouterr().out


def test_an_expiry_set_on_an_open_log_raises_an_alarm(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.invoke("projector", sample("projector/expiry-set"))

    assert '"ChangedCommits":[1.0]' in capsys.readouterr().out.replace(" ", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"commit_id": {"S": "somebody-else"}}),
        ({"expires_at": {"N": "1"}}, {}),
        ({"checkpoint_at": {"N": "1"}}, {}),
        ({}, {"expires_at": None}),
    ],
    ids=["something else as well", "an expiry that was there", "something removed", "no expiry"],
)
def test_any_other_change_of_an_ended_log_raises_an_alarm(
    stack: Stack, capsys: pytest.CaptureFixture[str], old: dict[str, Any], new: dict[str, Any]
) -> None:
    end(stack)
    event = sample("projector/expiry-set")
    change = event["Records"][0]["dynamodb"]
    change["OldImage"] |= old
    change["NewImage"] = {name: value for name, value in (change["NewImage"] | new).items() if value is not None}

    assert stack.invoke("projector", event) == {"batchItemFailures": []}

    assert '"ChangedCommits":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_change_whose_images_are_missing_raises_an_alarm(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    end(stack)
    event = sample("projector/expiry-set")
    del event["Records"][0]["dynamodb"]["OldImage"]

    assert stack.invoke("projector", event) == {"batchItemFailures": []}

    assert '"ChangedCommits":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_whether_a_log_has_ended_is_asked_again_where_the_store_cannot_say(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tail(*_: Any) -> None:
        raise StoreUnavailable("throttled")

    monkeypatch.setattr(stack.log, "tail", tail)

    answer = stack.invoke("projector", sample("projector/expiry-set"))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "111100000000000000000000001"}]}


def test_a_record_that_is_no_commit_is_reported(stack: Stack) -> None:
    event = sample("projector/insert")
    del event["Records"][0]["dynamodb"]["NewImage"]["events"]

    answer = stack.invoke("projector", event)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "111100000000000000000000001"}]}


def test_a_queue_that_fails_brings_back_only_that_record(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("throttled")

    event = sample("projector/insert")
    event["Records"].append(sample("projector/remove-expired")["Records"][0])
    event["Records"][1]["dynamodb"]["SequenceNumber"] = "222"
    monkeypatch.setattr(stack.control, "send", send)

    answer = stack.invoke("projector", event)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "111100000000000000000000001"}]}


def test_a_record_that_cannot_be_read_holds_up_neither_the_others_nor_its_own_log(stack: Stack) -> None:
    drain(stack)
    unreadable = record(CLAIMED, 0)
    del unreadable["dynamodb"]["NewImage"]["commit_id"]

    answer = stack.invoke("projector", {"Records": [unreadable, record(QUEUED, 1), record(APPROVAL, 2)]})

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    shown = {e.key.execution_id for e in feed.read(stack.services, ACME, after=0).events}
    assert shown == {CLAIMED, QUEUED, APPROVAL}
    assert {wake.execution_id for wake in wakes_after(stack, 30_000)} == {QUEUED, APPROVAL}


def test_of_a_log_that_cannot_be_read_every_record_is_reported_in_the_streams_order(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = stack.log.read

    def damaged(key: LogKey, **options: Any) -> Any:
        if key == KEY:
            raise LogCorrupted("a gap")
        return read(key, **options)

    monkeypatch.setattr(stack.log, "read", damaged)
    records = [record(QUEUED, 0), record(CLAIMED, 1), record(APPROVAL, 2), record(CLAIMED, 3)]

    answer = stack.invoke("projector", {"Records": records})

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "3"}]}
    shown = {e.key.execution_id for e in feed.read(stack.services, ACME, after=0).events}
    assert shown == {QUEUED, APPROVAL}


def test_a_batch_delivered_again_from_a_failed_record_on_changes_nothing(stack: Stack) -> None:
    records = [record(QUEUED, 0), record(CLAIMED, 1), record(APPROVAL, 2)]
    stack.invoke("projector", {"Records": records})
    before = feed.read(stack.services, ACME, after=0)

    assert stack.invoke("projector", {"Records": records[1:]}) == {"batchItemFailures": []}

    assert feed.read(stack.services, ACME, after=0) == before


def test_the_sweep_wakes_every_open_execution(stack: Stack) -> None:
    started = executions.start(stack.services, ACME, StartRequest(kind="order", input=None))
    drain(stack)

    answer = stack.invoke("projector", sample("projector/sweep"))

    assert answer == {"woken": 2, "projected": 2, "stalled": 0}
    woken = {wake.execution_id for wake in wakes_after(stack, 0)}
    assert woken == {started.workflow_execution_id, STANDALONE}


def test_what_stalls_is_counted_by_the_sweep_and_nothing_is_where_nothing_does(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    executions.start(stack.services, ACME, StartRequest(kind="order", input=None))
    assert stack.invoke("projector", sample("projector/sweep"))["stalled"] == 0
    assert metrics.STALLED_EXECUTIONS.name not in capsys.readouterr().out
    stack.clock.sleep_ms(16 * 60_000)

    stalled = stack.invoke("projector", sample("projector/sweep"))["stalled"]

    assert stalled > 0
    [metric] = [
        line
        for line in map(json.loads, capsys.readouterr().out.splitlines())
        if metrics.STALLED_EXECUTIONS.name in line
    ]
    assert metric[metrics.STALLED_EXECUTIONS.name] == [stalled]
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stack", "service"]]


def test_an_event_of_another_kind_is_an_error(stack: Stack) -> None:
    with pytest.raises(Exception, match="UnexpectedBatchTypeError"):
        stack.invoke("projector", {"detail-type": "Something else"})
