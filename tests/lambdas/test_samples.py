"""Every sample event, through Lambda's own runtime client: what the handlers answer is what comes out as JSON on the other side.

Each function has a stack of its own, and one process for all of its events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from flowstrand.aws.runtime_api import CONTENT_TYPE, DELIMITER
from flowstrand.streams.response import StreamResponse
from tests.functions.stack import EVENTS, TICKET_SECRET, USER_KEY, WORKER_KEY, sample
from tests.functions.test_samples import OTHERS, STATUS
from tests.lambdas.conftest import NewStack
from tests.lambdas.function import FunctionError, LambdaFunction
from tests.lambdas.logs import faults_of, json_lines
from tests.support.described import undescribed

LAST = (
    # What others need must be there when they ask: of each function, these come after all that only look, in this order.
    "executions/signal",
    "executions/resolve-promise",
    "executions/reject-promise-by-key",
    "executions/cancel",
    "executions/cancel-task",
    "executions/update-schedule",
    "executions/pause-schedule",
    "executions/resume-schedule",
    "executions/trigger-schedule",
    "executions/delete-schedule",
    "tasks/stream",
    "tasks/log",
    "tasks/complete",
    "channels/append",
    "channels/append-as-producer",
    "channels/close",
    "channels/delete",
    "worker/one-of-two-is-unreadable",
)
ALONE = {"tasks/fail", "executions/signal-with-start"}
"""Of an attempt that another sample completes, and of a key that another sample takes: each gets a world of its own."""
LIVE_MS = 4_000
"""How long an invocation of `stream` may take here; what is live ends itself before."""
SECRETS = (
    USER_KEY,
    WORKER_KEY,
    TICKET_SECRET,
    "eyJhbGciOi",
    "r-77",
    "declined",
    "c-1042",
    "approvedBy",
    "over budget",
)


def samples_of(function: str) -> list[str]:
    """In the order in which they are sent."""
    names = {f"{function}/{path.stem}" for path in (EVENTS / function).glob("*.json")} - ALONE
    return sorted(names, key=lambda name: (LAST.index(name) if name in LAST else -1, name))


@pytest.mark.parametrize("name", ["executions", "tasks", "events", "channels"])
def test_a_function_of_the_api_answers_in_one_process_what_its_description_says(
    sample_stack: NewStack, name: str
) -> None:
    function = sample_stack().function(name)
    answers = {sample: function.invoke(event_of(sample)) for sample in samples_of(name)}
    assert {sample: answer["statusCode"] for sample, answer in answers.items()} == {
        sample: STATUS[sample] for sample in samples_of(name)
    }
    assert {sample: undescribed(event_of(sample), answer) for sample, answer in answers.items()} == {
        sample: [] for sample in answers
    }
    assert [sample for sample, answer in answers.items() if not is_proxy_response(answer)] == []
    assert function.cold_starts == 1
    assert_logs_are_clean(function)


@pytest.mark.parametrize("name", sorted(ALONE))
def test_what_another_sample_rules_out_is_answered_in_a_world_of_its_own(
    sample_stack: NewStack, name: str
) -> None:
    answer = sample_stack().function(name.partition("/")[0]).invoke(event_of(name))
    assert answer["statusCode"] == STATUS[name]
    assert undescribed(event_of(name), answer) == []


def test_the_stream_function_streams_under_its_own_runtime(sample_stack: NewStack) -> None:
    function = sample_stack().function("stream")
    told: dict[str, int] = {}
    for name in samples_of("stream"):
        event = event_of(name)
        with function.streamed(event, timeout_ms=LIVE_MS) as invocation:
            first = next(invocation.arriving())
            rest = b"".join(invocation.arriving())
        assert invocation.is_streamed, name
        assert invocation.headers["content-type"] == CONTENT_TYPE
        # The prelude comes at once, whole and alone; and nothing went wrong until the end.
        prelude, delimiter, body = first.partition(DELIMITER)
        assert (delimiter, body, invocation.trailers) == (DELIMITER, b"", {}), name
        head = json.loads(prelude)
        told[name] = head["statusCode"]
        response = StreamResponse(status=head["statusCode"], headers=head["headers"], body=None)
        assert undescribed(event, response) == [], name
        assert bool(rest) is not name.endswith("-head"), name
    assert told == {name: STATUS[name] for name in samples_of("stream")}
    assert function.cold_starts == 1


def test_the_authorizer_lets_in_whom_it_knows_and_says_the_one_word_that_api_gateway_makes_401_of(
    sample_stack: NewStack,
) -> None:
    function = sample_stack().function("authorizer")
    for name in ("authorizer/user-key", "authorizer/worker-key"):
        answer = function.invoke(sample(name))
        [statement] = answer["policyDocument"]["Statement"]
        assert (statement["Effect"], answer["context"]["org"]) == ("Allow", "acme")
        # API Gateway takes no other values, and answers 500 to a policy that has them.
        assert all(isinstance(value, str | int | float | bool) for value in answer["context"].values())
    for name in ("authorizer/unknown-key", "authorizer/forged-ticket"):
        with pytest.raises(FunctionError) as refused:
            function.invoke(sample(name))
        assert refused.value.report["errorMessage"] == "Unauthorized"
    assert function.cold_starts == 1
    assert_logs_are_clean(function)


UNREADABLE = {"resumer/one-of-two-is-unreadable", "worker/one-of-two-is-unreadable"}


@pytest.mark.parametrize("name", ["resumer", "worker", "projector"])
def test_a_function_behind_a_queue_or_a_stream_says_what_is_to_come_again(
    sample_stack: NewStack, name: str
) -> None:
    function = sample_stack().function(name)
    for one in samples_of(name):
        event = sample(one)
        answer = function.invoke(event)
        if one == "projector/sweep":
            assert answer.keys() == {"woken", "projected", "stalled"}
            continue
        again = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        assert again == ([event["Records"][0]["messageId"]] if one in UNREADABLE else []), one
    assert function.cold_starts == 1
    assert_logs_are_clean(function)


def test_the_janitor_says_what_it_has_done(sample_stack: NewStack) -> None:
    function = sample_stack().function("janitor")
    answer = function.invoke(sample("janitor/clean"))
    assert answer == {"kept": 0, "expired": 0, "failed": 0, "is_done": True}
    assert_logs_are_clean(function)


def test_every_sample_is_sent() -> None:
    sent = {name for folder in EVENTS.iterdir() for name in samples_of(folder.name)} | ALONE
    assert sent == STATUS.keys() | OTHERS
    assert sent >= set(LAST)


def event_of(name: str) -> dict[str, Any]:
    """The sample; a long-poll that nothing comes for waits a second."""
    event = sample(name)
    for key in ("queryStringParameters", "multiValueQueryStringParameters"):
        given = event.get(key) or {}
        if name.startswith("events/") and "wait" in given:
            given["wait"] = "1" if key == "queryStringParameters" else ["1"]
    return event


def is_proxy_response(answer: Mapping[str, Any]) -> bool:
    """Whether API Gateway takes it; it answers 502 to anything else."""
    named = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    headers = answer.get("multiValueHeaders") or {}
    return (
        answer.keys() <= named
        and isinstance(answer["statusCode"], int)
        and isinstance(answer.get("body"), str | None)
        and isinstance(answer.get("isBase64Encoded", False), bool)
        and all(isinstance(one, str) for values in headers.values() for one in values)
    )


def assert_logs_are_clean(function: LambdaFunction) -> None:
    """Every line is a JSON object, as the template's `LogFormat` promises CloudWatch, and none holds what nobody should read."""
    assert json_lines(function.logged()) is not None
    assert faults_of(function.logged(), SECRETS) == []
