"""What only a real runtime shows: how processes begin, fail, run out of time and end, and what their callers hear of it."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from tests.functions.stack import sample
from tests.lambdas.conftest import NewStack
from tests.lambdas.function import FunctionError, LambdaFunction
from tests.lambdas.logs import json_lines
from tests.lambdas.mounts import mounts
from tests.lambdas.stack import DeployedStack, Emulators


def changed(function: LambdaFunction, folder: Path, **changes: object) -> LambdaFunction:
    """The same function with something else in its specification."""
    specification = replace(function.specification, **changes)  # type: ignore[arg-type]  # one field or another
    return LambdaFunction(specification, function.mounts, folder / "changed.log")


@pytest.fixture
def broken(stack: DeployedStack, tmp_path: Path) -> Iterator[list[LambdaFunction]]:
    """What is put here is closed at the end."""
    made: list[LambdaFunction] = []
    yield made
    for function in made:
        function.close()


def test_a_handler_that_is_not_there_is_an_error_of_the_initialization(
    stack: DeployedStack, broken: list[LambdaFunction], tmp_path: Path
) -> None:
    broken.append(changed(stack.function("janitor"), tmp_path, handler="functions.janitor.app.no_such_name"))
    with pytest.raises(FunctionError) as failed:
        broken[0].invoke(sample("janitor/clean"))
    assert failed.value.type == "Runtime.HandlerNotFound"


def test_a_layer_that_is_missing_is_an_error_of_the_initialization_that_names_the_module(
    stack: DeployedStack, broken: list[LambdaFunction], tmp_path: Path
) -> None:
    whole = stack.function("janitor").specification
    bare = mounts("janitor", ["engine"], tmp_path / "bare", None)
    path = ":".join(map(str, (bare.task, bare.opt / "python", bare.runtime)))
    specification = replace(whole, environment={**whole.environment, "PYTHONPATH": path})
    broken.append(LambdaFunction(specification, bare, tmp_path / "bare.log"))
    with pytest.raises(FunctionError, match=r"aws_lambda_powertools|pydantic|cronsim|jsonschema") as failed:
        broken[0].invoke(sample("janitor/clean"))
    assert failed.value.type == "Runtime.ImportModuleError"


@pytest.mark.parametrize("name", ["resumer", "executions", "stream"])
def test_a_variable_that_is_missing_is_named_in_an_error_and_no_value_is(
    sample_stack: NewStack, broken: list[LambdaFunction], tmp_path: Path, name: str
) -> None:
    whole = sample_stack().function(name)
    environment = {**whole.specification.environment}
    del environment["FLOWSTRAND_LOG_TABLE"]
    broken.append(changed(whole, tmp_path, environment=environment))
    event = sample({"resumer": "resumer/wake", "executions": "executions/get", "stream": "stream/state"}[name])
    if name == "executions":
        answer = broken[0].invoke(event)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "INTERNAL_ERROR")
    elif name == "stream":
        with broken[0].streamed(event) as invocation:
            first = next(invocation.arriving())
            list(invocation.arriving())
        assert json.loads(first.partition(b"\0" * 8)[0])["statusCode"] == 500
    else:
        with pytest.raises(FunctionError) as failed:
            broken[0].invoke(event)
        assert failed.value.type == "ConfigurationError"
    said = "\n".join(broken[0].logged())
    assert "FLOWSTRAND_LOG_TABLE" in said
    assert environment["FLOWSTRAND_DIRECTORY_TABLE"] not in said


def test_an_exception_is_reported_by_its_name_and_the_log_says_where_it_was_raised(stack: DeployedStack) -> None:
    function = stack.function("projector")
    with pytest.raises(FunctionError) as failed:
        function.invoke({"detail-type": "Something else"})
    report = failed.value.report
    assert report.keys() >= {"errorType", "errorMessage", "requestId", "stackTrace"}
    assert report["errorType"] == "InvocationFailed"
    # The process goes on, and every line that it has written is JSON, the runtime client's own too.
    assert function.invoke(sample("projector/sweep")) == {"woken": 0, "projected": 0, "stalled": 0}
    assert function.cold_starts == 1
    lines = json_lines(function.logged())
    [told] = [line for line in lines if line.get("message") == "the invocation failed"]
    assert told["lambdaRequestId"] == report["requestId"]
    assert told["exception_name"] == report["errorMessage"]
    assert "functions/projector/app.py" in told["exception"]
    assert [line["level"] for line in lines if line.get("errorType") == "InvocationFailed"] == ["ERROR"]


def test_an_event_that_is_not_json_is_the_callers_mistake(stack: DeployedStack) -> None:
    function = stack.function("janitor")
    with pytest.raises(FunctionError) as failed:
        function.invoke(b"{")
    assert failed.value.type == "Runtime.UnmarshalError"
    assert function.invoke(sample("janitor/clean"))["is_done"]


def test_a_callers_client_context_disturbs_nothing(stack: DeployedStack) -> None:
    context = json.dumps({"custom": {"a": "b"}, "env": {}, "client": {"app_title": "x"}})
    assert stack.function("janitor").invoke(sample("janitor/clean"), client_context=context)["is_done"]


def test_a_process_that_is_out_of_time_is_killed_and_the_next_begins_anew(sample_stack: NewStack) -> None:
    function = sample_stack().function("events")
    assert function.invoke(sample("events/history"))["statusCode"] == 200
    with pytest.raises(FunctionError) as failed:
        function.invoke(sample("events/long-poll"), timeout_ms=500)
    assert failed.value.type == "Sandbox.Timedout"
    assert function.invoke(sample("events/history"))["statusCode"] == 200
    assert function.cold_starts == 2


def test_a_task_that_would_not_have_the_time_is_left_to_another_process(sample_stack: NewStack) -> None:
    stack = sample_stack()
    answer = stack.function("worker").invoke(sample("worker/task"), timeout_ms=59_000)
    assert answer == {"batchItemFailures": []}
    url = stack.attribute("HostedTaskQueue")
    [message] = stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sent = json.loads(sample("worker/task")["Records"][0]["body"])
    assert json.loads(message["Body"]).items() >= sent.items()


@pytest.mark.parametrize("name", ["resumer", "stream"])
def test_a_process_that_waits_ends_at_once_when_it_is_told_to(sample_stack: NewStack, name: str) -> None:
    function = sample_stack().function(name)
    if name == "stream":
        with function.streamed(sample("stream/channel")) as invocation:
            list(invocation.arriving())
    else:
        function.invoke(sample("resumer/wake"))
    assert function.terminate() == -signal.SIGTERM


def test_bytes_come_out_of_a_channel_as_they_went_in(sample_stack: NewStack) -> None:
    stack = sample_stack()
    body = bytes(range(256))
    event = sample("channels/create")
    for headers in (event["headers"], event["multiValueHeaders"]):
        for key in [key for key in headers if key.lower() == "content-type"]:
            headers[key] = (
                ["application/octet-stream"] if isinstance(headers[key], list) else "application/octet-stream"
            )
    event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    assert stack.function("channels").invoke(event)["statusCode"] == 201
    reading = sample("stream/channel")
    for key in ("path", "pathParameters", "requestContext"):
        reading[key] = json.loads(json.dumps(event[key]))
    reading["requestContext"] |= {"httpMethod": "GET"}
    with stack.function("stream").streamed(reading) as invocation:
        first = next(invocation.arriving())
        rest = b"".join(invocation.arriving())
    assert json.loads(first.partition(b"\0" * 8)[0])["statusCode"] == 200
    assert rest == body


def test_a_layer_that_hangs_on_a_parameter_is_there_where_the_parameter_is_set(
    servers: Emulators, tmp_path: Path
) -> None:
    issuer, keys = "https://issuer.example", "https://127.0.0.1:1/keys"
    stack = DeployedStack(
        f"jwt{uuid4().hex[:8]}",
        servers,
        tmp_path,
        parameters={"JwtIssuer": issuer, "JwtAudience": "api", "JwtJwksUrl": keys},
    )
    function = stack.function("authorizer")
    try:
        assert (function.mounts.opt / "python" / "cryptography").is_dir()
        event = sample("authorizer/user-key")
        event["headers"]["Authorization"] = f"Bearer {unsigned(issuer)}"
        event["multiValueHeaders"]["Authorization"] = [f"Bearer {unsigned(issuer)}"]
        # Nobody is at the keys' address: it cannot be known, which is not the same as an invalid token.
        with pytest.raises(FunctionError) as failed:
            function.invoke(event)
        assert failed.value.report["errorMessage"] != "Unauthorized"
        with pytest.raises(FunctionError) as refused:
            function.invoke(sample("authorizer/user-key"))
        assert refused.value.report["errorMessage"] == "Unauthorized"
        assert function.cold_starts == 1
    finally:
        stack.close()


def unsigned(issuer: str) -> str:
    """What looks like a token of the issuer's."""
    parts = (
        {"alg": "RS256", "kid": "1", "typ": "JWT"},
        {"iss": issuer, "aud": "api", "sub": "ada", "exp": 4_102_444_800, "iat": 1_795_435_200},
    )
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, base64.urlsafe_b64encode(b"x" * 256).rstrip(b"=").decode()])
