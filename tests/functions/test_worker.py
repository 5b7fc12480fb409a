"""The stack's own worker: each message on its own; what a task does is in its log, not in what the function answers."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.engine.events import TaskStarted
from flowstrand.errors import ConfigurationError, StoreUnavailable
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey
from tests.functions.stack import ACME, CLAIMED, QUEUED, Stack, sample


def failures(answer: dict[str, Any]) -> list[str]:
    """Which messages come again."""
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def types(stack: Stack, execution: str) -> list[str]:
    """The log of an execution, as the names of its events."""
    commits = stack.log.read(LogKey.parse(f"{ACME}#{execution}"), after=0)
    return [event.type for commit in commits for event in unpack_events(commit)]


def test_a_task_is_claimed_run_and_reported_with_all_that_it_emitted(stack: Stack) -> None:
    answer = stack.invoke("worker", sample("worker/task"))

    assert failures(answer) == []
    assert types(stack, QUEUED)[3:] == ["TASK_STARTED", "STREAM_TOKEN", "TASK_COMPLETED"]


def test_the_log_names_the_invocation_that_ran_it(stack: Stack) -> None:
    stack.invoke("worker", sample("worker/task"))

    commits = stack.log.read(LogKey(ACME, QUEUED), after=3)
    started = unpack_events(commits[0])[0].data
    assert isinstance(started, TaskStarted)
    assert (started.worker_id or "").startswith("hosted-")


def test_a_message_that_comes_twice_runs_the_task_once(stack: Stack) -> None:
    stack.invoke("worker", sample("worker/task"))
    before = stack.sequences()

    answer = stack.invoke("worker", sample("worker/task"))

    assert failures(answer) == []
    assert stack.sequences() == before


def test_an_attempt_that_a_worker_has_begun_is_left_to_it(stack: Stack) -> None:
    before = stack.sequences()

    answer = stack.invoke("worker", sample("worker/started-before"))

    assert failures(answer) == []
    assert stack.sequences() == before


def test_a_message_that_cannot_be_read_comes_again_alone(stack: Stack) -> None:
    event = sample("worker/one-of-two-is-unreadable")

    answer = stack.invoke("worker", event)

    assert failures(answer) == [event["Records"][0]["messageId"]]
    assert types(stack, QUEUED)[-1] == "TASK_COMPLETED"


def test_a_control_message_is_not_taken_for_a_task(stack: Stack) -> None:
    event = sample("resumer/wake")

    assert failures(stack.invoke("worker", event)) == [event["Records"][0]["messageId"]]


def test_a_store_that_is_away_when_a_task_is_to_be_claimed_sends_the_message_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(commit: Commit) -> None:
        raise StoreUnavailable("throttled")

    assert stack.services.tasks.receive(ACME, "default", limit=10, wait_s=0)  # the one from before
    with monkeypatch.context() as patch:
        patch.setattr(stack.log, "append", append)
        answer = stack.invoke("worker", sample("worker/task"))

    assert failures(answer) == []
    assert types(stack, QUEUED)[-1] == "WORKFLOW_SUSPENDED"
    stack.clock.sleep_ms(1_000)
    (again,) = stack.services.tasks.receive(ACME, "default", limit=10, wait_s=0)
    assert again.message.execution_id == QUEUED


def test_where_nothing_can_be_sent_either_the_message_comes_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("throttled")

    monkeypatch.setattr(stack.log, "append", unavailable)
    monkeypatch.setattr(stack.services.tasks, "send", unavailable)
    event = sample("worker/task")

    assert failures(stack.invoke("worker", event)) == [event["Records"][0]["messageId"]]


def test_an_execution_that_is_gone_is_nothing_to_work_on(stack: Stack) -> None:
    event = sample("worker/task")
    record = event["Records"][0]
    record["body"] = record["body"].replace(QUEUED, CLAIMED[:-1] + "Z")

    assert failures(stack.invoke("worker", event)) == []


def test_a_function_without_a_queue_refuses_to_run_anything(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWSTRAND_HOSTED_QUEUE")

    with pytest.raises(ConfigurationError, match="FLOWSTRAND_HOSTED_QUEUE"):
        stack.invoke("worker", sample("worker/task"))
