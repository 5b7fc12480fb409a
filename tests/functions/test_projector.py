"""The projector: a safety wake for each commit with effects, an alarm for each that was changed, and the sweep."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.errors import StoreUnavailable
from flowstrand.queues.messages import Wake
from flowstrand.service import executions
from flowstrand.service.executions import StartRequest
from tests.functions.stack import ACME, CLAIMED, STANDALONE, Stack, logged, sample


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


def test_a_commit_with_effects_gets_a_second_wake_later(stack: Stack) -> None:
    drain(stack)

    answer = stack.invoke("projector", sample("projector/insert"))

    assert answer == {"batchItemFailures": []}
    assert wakes_after(stack, 29_000) == []
    assert wakes_after(stack, 1_000) == [Wake(org=ACME, execution_id=CLAIMED, sequence=1)]


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


def test_the_sweep_wakes_every_open_execution(stack: Stack) -> None:
    started = executions.start(stack.services, ACME, StartRequest(kind="order", input=None))
    drain(stack)

    answer = stack.invoke("projector", sample("projector/sweep"))

    assert answer == {"woken": 2}
    assert {wake.execution_id for wake in wakes_after(stack, 0)} == {started.workflow_execution_id, STANDALONE}


def test_an_event_of_another_kind_is_an_error(stack: Stack) -> None:
    with pytest.raises(Exception, match="batch event type"):
        stack.invoke("projector", {"detail-type": "Something else"})
