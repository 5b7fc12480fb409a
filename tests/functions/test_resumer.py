"""The resumer: each message on its own; what fails comes again, alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowstrand.errors import ConfigurationError, StoreUnavailable
from flowstrand.log.port import Commit
from flowstrand.service import container
from tests.functions.stack import ACME, CLAIMED, Stack, sample


def record(body: dict[str, Any] | str, identifier: str) -> dict[str, Any]:
    """An SQS record like the sample's."""
    made: dict[str, Any] = sample("resumer/wake")["Records"][0]
    return made | {"body": body if isinstance(body, str) else json.dumps(body), "messageId": identifier}


def failures(answer: dict[str, Any]) -> list[str]:
    """Which messages come again."""
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_a_wake_runs_the_turn_that_is_due(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/complete"))

    answer = stack.invoke("resumer", sample("resumer/wake"))

    assert failures(answer) == []
    assert [sequence for sequence, _ in stack.sequences()[CLAIMED]] == [1, 2, 4, 5, 6]


def test_a_wake_that_comes_twice_changes_nothing(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))
    before = stack.sequences()

    answer = stack.invoke("resumer", sample("resumer/wake"))

    assert failures(answer) == []
    assert stack.sequences() == before


def test_a_lease_that_ran_out_ends_its_attempt(stack: Stack) -> None:
    stack.clock.sleep_ms(60_001)

    answer = stack.invoke("resumer", sample("resumer/lease-end"))

    assert failures(answer) == []
    assert [sequence for sequence, _ in stack.sequences()[CLAIMED]] == [1, 2, 4, 5]


def test_an_unreadable_message_comes_again_until_the_queue_sets_it_aside(stack: Stack) -> None:
    event = sample("resumer/one-of-two-is-unreadable")

    answer = stack.invoke("resumer", event)

    assert failures(answer) == [event["Records"][0]["messageId"]]


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", {"type": "wake"}, {"type": "wake", "org": "a", "executionId": "b", "sequence": "x"}],
)
def test_a_message_that_is_not_ours_is_not_lost_silently(stack: Stack, body: dict[str, Any] | str) -> None:
    assert failures(stack.invoke("resumer", {"Records": [record(body, "m-1")]})) == ["m-1"]


def test_a_task_message_does_not_belong_here(stack: Stack) -> None:
    body = {"type": "task", "org": ACME, "executionId": CLAIMED, "position": 1, "attempt": 1}

    assert failures(stack.invoke("resumer", {"Records": [record(body, "m-1")]})) == ["m-1"]


def test_a_wake_of_an_execution_that_is_not_there_is_done(stack: Stack) -> None:
    body = {"type": "wake", "org": ACME, "executionId": "nothing", "sequence": 1}

    assert failures(stack.invoke("resumer", {"Records": [record(body, "m-1")]})) == []


def test_a_store_that_fails_brings_back_only_what_it_failed_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    healthy = stack.log.append

    def append(commit: Commit) -> None:
        if commit.key.execution_id == CLAIMED:
            raise StoreUnavailable("throttled")
        healthy(commit)

    monkeypatch.setattr(stack.log, "append", append)
    other = record({"type": "wake", "org": ACME, "executionId": "nothing", "sequence": 1}, "m-2")

    answer = stack.invoke("resumer", {"Records": [*sample("resumer/wake")["Records"], other]})

    assert failures(answer) == [sample("resumer/wake")["Records"][0]["messageId"]]


def test_a_function_without_configuration_brings_back_everything(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "_installed", [])

    with pytest.raises(ConfigurationError):
        stack.invoke("resumer", sample("resumer/wake"))
