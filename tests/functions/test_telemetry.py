"""What handlers tell of themselves: every line says whose it is, nothing is left for the next one, and nothing is said twice."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from flowstrand.aws import telemetry
from flowstrand.aws.telemetry import InvocationFailed, Output, observed
from flowstrand.engine.ids import execution_id
from flowstrand.errors import LogCorrupted, StoreUnavailable
from flowstrand.local.lambda_context import LocalContext
from flowstrand.observability import correlation, meter, metrics
from flowstrand.observability.correlation import Ids
from flowstrand.observability.metrics import Metric
from tests.functions.stack import ACME, CLAIMED, CLAIMED_TASK, NOW_MS, Stack, sample
from tests.unit.sse_parser import parse

Lines = Callable[[], list[dict[str, Any]]]
_log = logging.getLogger("flowstrand.test")


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """What has been written to standard output since one last looked: each line is an object."""
    logger = telemetry.configure()
    before = logger.log_level
    logger.setLevel("DEBUG")
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logger.setLevel(before)


def context(function: str = "test") -> LocalContext:
    """An invocation's."""
    return LocalContext(function_name=function, aws_request_id="an-invocation")


def saying(event: Any, context: Any) -> str:
    """A handler that logs, and answers with what it is about."""
    _log.info("said %s", event["what"])
    return json.dumps(dict(correlation.current()))


def failing(error: Exception) -> Callable[[Any, Any], Any]:
    """A handler that raises."""

    @observed("test")
    def handler(event: Any, context: Any) -> None:
        raise error

    return handler


def unplug(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log's store is away."""

    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("throttled")

    monkeypatch.setattr(stack.services.log, "tail", fail)
    monkeypatch.setattr(stack.services.log, "read", fail)
    monkeypatch.setattr(stack.services.log, "commit_at", fail)


def test_a_line_says_which_invocation_and_request_it_is_of(lines: Lines) -> None:
    event = {
        "what": "this",
        "resource": "/api/orgs/{org}/workflow-executions/{id}",
        "pathParameters": {"org": "acme", "id": CLAIMED},
        "requestContext": {"requestId": "a-request"},
    }

    observed("test")(saying)(event, context())

    [line] = lines()
    assert (line["level"], line["message"], line["service"]) == ("INFO", "said this", "flowstrand")
    assert (line["function"], line["lambdaRequestId"]) == ("test", "an-invocation")
    assert (line["requestId"], line["executionId"]) == ("a-request", CLAIMED)


def test_what_a_path_holds_that_is_no_id_is_left_out(lines: Lines) -> None:
    event = {
        "what": "this",
        "resource": "/api/orgs/{org}/workflow-executions/{id}",
        "pathParameters": {"id": "no id at all"},
        "requestContext": {"requestId": "x" * 600},
    }

    observed("test")(saying)(event, context())

    assert not lines()[0].keys() & {"requestId", "executionId"}


def test_nothing_is_left_for_the_next_invocation() -> None:
    def noting(event: Any, context: Any) -> None:
        correlation.note(executionId=event["id"])

    observed("first")(noting)({"id": "x"}, context())

    assert json.loads(observed("second")(saying)({"what": ""}, None)) == {"function": "second"}
    assert dict(correlation.current()) == {}


def test_threads_do_not_see_each_others_ids(lines: Lines) -> None:
    both = Barrier(2)

    @observed("test")
    def handler(event: Any, context: Any) -> None:
        correlation.note(executionId=event)
        both.wait(timeout=30)
        _log.info("said")
        both.wait(timeout=30)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: handler(name, None), ["one", "two"]))

    assert sorted(line["executionId"] for line in lines()) == ["one", "two"]


def test_a_control_messages_lines_name_its_execution_and_its_wake(
    lines: Lines, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    unplug(stack, monkeypatch)

    answer = stack.invoke("resumer", sample("resumer/wake"))

    assert len(answer["batchItemFailures"]) == 1
    [line] = [line for line in lines() if line.get("level") == "ERROR"]
    assert line["message"] == "a control message failed"
    assert (line["org"], line["executionId"], line["wakeSequence"]) == (ACME, CLAIMED, 4)
    assert line["messageId"] == sample("resumer/wake")["Records"][0]["messageId"]


def test_a_requests_lines_name_its_org_once_that_is_known(
    lines: Lines, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    unplug(stack, monkeypatch)

    assert stack.invoke("tasks", sample("tasks/complete"))["statusCode"] == 503

    [line] = [line for line in lines() if line.get("level") == "WARNING"]
    assert (line["org"], line["taskId"], line["function"]) == (ACME, CLAIMED_TASK, "tasks")


@pytest.mark.parametrize(
    ("error", "raised", "name"),
    [
        (ValueError("a secret"), InvocationFailed, "ValueError"),
        (LogCorrupted("the log of x is damaged"), LogCorrupted, "LogCorrupted (LOG_CORRUPTED)"),
        (StoreUnavailable("throttled"), StoreUnavailable, "StoreUnavailable (STORE_UNAVAILABLE)"),
    ],
)
def test_an_exception_is_logged_once_and_told_to_lambda_without_what_it_may_hold(
    lines: Lines, error: Exception, raised: type[Exception], name: str
) -> None:
    with pytest.raises(raised) as caught:
        failing(error)({}, context())

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    [line] = lines()
    assert (line["level"], line["exception_name"]) == ("ERROR", name)
    assert "in handler" in line["exception"]
    assert "secret" not in json.dumps(line)


def test_unauthorized_is_no_failure(lines: Lines) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        failing(Exception("Unauthorized"))({}, context())

    assert lines() == []


def test_what_is_counted_is_written_as_one_line_with_two_dimensions(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWSTRAND_STACK", "shop-prod")

    @observed("resumer")
    def handler(event: Any, context: Any) -> None:
        correlation.note(org="acme", executionId="x")
        meter.count(metrics.TURNS_COLD)
        meter.count(metrics.TURNS_COLD, 2)
        meter.record(metrics.TURN_DURATION, 12)
        meter.record(metrics.TURN_DURATION, 30)

    handler({}, context())

    [line] = lines()
    [told] = line["_aws"]["CloudWatchMetrics"]
    assert told["Namespace"] == "Flowstrand"
    assert [sorted(dimensions) for dimensions in told["Dimensions"]] == [["service", "stack"]]
    assert (line["service"], line["stack"]) == ("flowstrand", "shop-prod")
    assert (line["TurnsCold"], line["TurnDuration"]) == ([3.0], [12.0, 30.0])
    assert line["lambdaRequestId"] == "an-invocation"
    assert "acme" not in json.dumps(line)


def test_an_invocation_that_counts_nothing_writes_nothing(lines: Lines) -> None:
    observed("test")(lambda event, context: None)({}, context())

    assert lines() == []


@pytest.fixture
def measured() -> Iterator[list[tuple[dict[Metric, list[float]], Ids]]]:
    """What is reported, in place of the lines."""
    reports: list[tuple[dict[Metric, list[float]], Ids]] = []
    uninstall = telemetry.install(Output(lambda: None, lambda taken, ids: reports.append((dict(taken), ids))))
    yield reports
    uninstall()


Reports = list[tuple[dict[Metric, list[float]], Ids]]


def test_a_turn_is_measured(stack: Stack, measured: Reports) -> None:
    stack.invoke("executions", sample("executions/start"))
    wake = sample("resumer/wake")
    started = str(measured[-1][1]["executionId"])
    wake["Records"][0]["body"] = wake["Records"][0]["body"].replace(CLAIMED, started)

    stack.invoke("resumer", wake)

    taken, _ = measured[-1]
    assert taken[metrics.TURNS_COLD] == [1]
    assert taken[metrics.TURN_DURATION] == [0]
    assert taken[metrics.WAKES_HANDLED] == [1]


def test_what_a_commit_says_is_counted_where_it_is_projected(stack: Stack, measured: Reports) -> None:
    stack.invoke("projector", sample("projector/insert"))

    taken, _ = measured[-1]
    assert taken[metrics.EXECUTIONS_STARTED] == [1]
    assert len(taken[metrics.PROJECTION_LAG]) == 1


def test_what_was_imported_is_not_counted(stack: Stack, measured: Reports) -> None:
    event = sample("projector/insert")
    event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] = NOW_MS / 1_000 + 86_400

    stack.invoke("projector", event)

    assert measured[-1][0] == {}


def test_what_comes_again_is_not_counted_twice(stack: Stack, measured: Reports) -> None:
    event = sample("projector/insert")
    broken = json.loads(json.dumps(event["Records"][0]).replace(CLAIMED, execution_id(NOW_MS, b"elsewhere-")))
    broken["dynamodb"]["SequenceNumber"] = "1"
    del broken["dynamodb"]["NewImage"]["events"]
    event["Records"].insert(0, broken)

    stack.invoke("projector", event)

    assert metrics.EXECUTIONS_STARTED not in measured[-1][0]


def test_a_poll_is_measured(stack: Stack, measured: Reports) -> None:
    stack.invoke("tasks", sample("tasks/poll"))

    assert measured[-1][0][metrics.POLLS] == [1]
    assert metrics.POLL_WAIT in measured[-1][0]


@pytest.mark.anyio
async def test_a_stream_is_measured_to_its_end(stack: Stack, measured: Reports) -> None:
    response = stack.invoke("stream", sample("stream/state"))
    assert measured.pop()[0] == {}
    assert response.body is not None

    received = b"".join([chunk async for chunk in response.body])

    assert parse(received)
    [(taken, ids)] = measured
    assert taken[metrics.STREAM_READERS] == [1]
    assert len(taken[metrics.STREAM_SECONDS]) == 1
    assert (ids["function"], ids["org"], ids["executionId"]) == ("stream", ACME, CLAIMED)


def test_a_refused_stream_is_no_reader(stack: Stack, measured: Reports) -> None:
    event = sample("stream/state")
    event["requestContext"]["authorizer"] = {}

    stack.invoke("stream", event)

    assert [taken for taken, _ in measured] == [{}]
