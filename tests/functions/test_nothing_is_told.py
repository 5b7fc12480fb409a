"""No payload and no secret in any log line or metric: every sample request is made with marks in all that is a caller's own,
under a logger that says everything, with a store that works and with one that fails with marks of its own.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from flowstrand.aws import telemetry
from flowstrand.engine.events import RetryPolicy
from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.program import PLAIN_WIRE, Program
from flowstrand.jsonvalue import JsonValue
from flowstrand.local.lambda_context import LocalContext
from flowstrand.queues.messages import Wake, dump
from flowstrand.sdk.task import task
from flowstrand.sdk.task_context import TaskContext
from flowstrand.service.executions import StartRequest, start
from tests.functions.provocations import Failing
from tests.functions.stack import ACME, OrderAndApproval, Stack, sample
from tests.functions.test_samples import OTHERS, STATUS

MARK = "canary-5f1d"
FREE = frozenset(
    {
        "details",
        "description",
        "error",
        "fields",
        "idempotencyKey",
        "input",
        "leaseToken",
        "message",
        "metadata",
        "output",
        "payload",
        "reason",
        "requestId",
        "signalName",
        "signalValue",
        "stack",
        "text",
        "value",
    }
)
"""Of request bodies, the fields that callers fill as they like."""


def marked(value: Any, *, is_free: bool = False) -> Any:
    """`value` with a mark in place of every text that is a caller's own."""
    match value:
        case dict():
            return {key: marked(item, is_free=is_free or key in FREE) for key, item in value.items()}
        case list():
            return [marked(item, is_free=is_free) for item in value]
        case str() | int() if is_free:
            return f"{MARK} {value}"
        case _:
            return value


def with_marks(event: dict[str, Any]) -> dict[str, Any]:
    """A sample with marks in its body, its credential and its ticket."""
    if event.get("httpMethod") and "methodArn" not in event:
        query = {"ticket": [MARK], **(event.get("multiValueQueryStringParameters") or {})}
        event["multiValueQueryStringParameters"] = query
        event["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
        event["headers"] = {**(event.get("headers") or {}), "Authorization": f"Bearer {MARK}"}
    body = event.get("body")
    if body and not event.get("isBase64Encoded"):
        event["body"] = json.dumps(marked(json.loads(body)))
    return event


class Telling:
    """A workflow that fails over what it was given, having asked for a task with it."""

    wire = PLAIN_WIRE
    kind = "order"

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        return self._run(driver, input)

    async def _run(self, driver: Driver, input: JsonValue) -> JsonValue:
        driver.schedule_task("telling-task", input, queue="default", retry=RetryPolicy(max_retries=0))
        raise ValueError(f"cannot do {input}")


@task(name="charge-card")
async def telling_task(ctx: TaskContext, order: dict[str, Any]) -> None:
    """Fails over what it was given."""
    raise ValueError(f"cannot charge {order} {MARK}")


class TellingCode(OrderAndApproval):
    """What fails over its input."""

    def program(self, kind: str) -> Program | None:
        return Telling() if kind == Telling.kind else super().program(kind)

    def task(self, kind: str) -> Any:
        return telling_task if kind == telling_task.kind else None


@pytest.fixture(autouse=True)
def everything_is_said() -> Iterator[None]:
    """The level is DEBUG."""
    logger = telemetry.configure()
    before = logger.log_level
    logger.setLevel("DEBUG")
    yield
    logger.setLevel(before)


def invoke(name: str, event: Any) -> None:
    """As Lambda would; whatever comes of it."""
    function = name.split("/", maxsplit=1)[0]
    handler = importlib.import_module(f"functions.{function}.app").lambda_handler
    try:
        handler(event, LocalContext(function_name=function))
    except Exception as error:  # as Lambda would log it
        sys.stdout.write(f"{type(error).__name__}: {error}\n")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """All of it."""
    written = capsys.readouterr()
    return written.out + written.err


def test_no_sample_has_anything_told_of_what_it_holds(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    for name in sorted(STATUS.keys() | OTHERS):
        invoke(name, with_marks(sample(name)))

    assert "flowstrand" in (told := said(capsys))
    assert MARK not in told


def test_nor_where_the_store_fails_over_it(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        """A store whose every failure repeats what it was given."""

        def __getattr__(self, name: str) -> Any:
            def fail(*args: object, **_: object) -> Any:
                raise ValueError(f"cannot {name} {MARK} {args}")

            return fail

    for broken in (Broken(), Failing()):
        services: Any = replace(stack.services, log=broken, directory=broken, payloads=broken)
        stack.use(services)
        for name in sorted(STATUS.keys() | OTHERS):
            invoke(name, with_marks(sample(name)))

    told = said(capsys)
    assert "ValueError" in told
    assert "StoreUnavailable" in told
    assert MARK not in told


def test_nor_what_is_wrong_with_a_request(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    for name in sorted(STATUS):
        event = with_marks(sample(name))
        if event.get("body"):
            event["body"] = f'{{"{MARK}": "{MARK}'
            event["isBase64Encoded"] = False
        event["pathParameters"] = {**(event.get("pathParameters") or {}), "id": f"key:{MARK}"}
        invoke(name, event)
    for function in ("resumer", "worker"):
        record = {**sample("resumer/wake")["Records"][0], "body": f'{{"type": "{MARK}"'}
        invoke(function, {"Records": [record]})

    assert "InvalidInput" in (told := said(capsys))
    assert MARK not in told


def test_nor_what_authors_code_fails_over(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.use(replace(stack.services, programs=TellingCode()))
    started = start(stack.services, ACME, StartRequest(kind="order", input={"amount": MARK}))
    wake = Wake(org=ACME, execution_id=ExecutionId(started.workflow_execution_id), sequence=1)
    record = sample("resumer/wake")["Records"][0]
    invoke("resumer", {"Records": [{**record, "body": dump(wake)}]})
    invoke("worker", with_marks(sample("worker/task")))

    told = said(capsys)
    assert "TurnsCold" in told
    assert "failed" in told
    assert MARK not in told


def test_the_marks_are_in_what_is_sent() -> None:
    event = with_marks(sample("executions/start"))

    assert MARK in event["body"]
    assert MARK in event["headers"]["Authorization"]
