"""The `stream` function's process as Lambda would run it: started by its wrapper, against fakes over sockets, and what it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import flowstrand.aws
from flowstrand.aws.runtime_api import DELIMITER
from flowstrand.log.port import Commit
from tests.functions.fake_runtime_api import FakeRuntimeApi
from tests.functions.fake_table import FakeTable
from tests.functions.test_reading import CALLER
from tests.unit.every_event import KEY
from tests.unit.reading_world import ReadingWorld, failing_task
from tests.unit.sse_parser import parse
from tests.unit.test_aws_settings import COMPLETE

RESIDENT_MB = 64
WRAPPER = Path(next(iter(flowstrand.aws.__path__))) / "stream-wrapper"
STREAM = f"/api/orgs/{KEY.org}/workflow-executions/{KEY.execution_id}/stream"


@pytest.fixture
def api() -> Iterator[FakeRuntimeApi]:
    fake = FakeRuntimeApi(holds=True)
    yield fake
    fake.close()


@contextmanager
def function(
    api: FakeRuntimeApi, table_url: str, handler: str = "functions.stream.app.lambda_handler"
) -> Iterator[Any]:
    """The process. It ends when the fake lets go of it, and is expected to have an exit status of 1: there is nothing left to serve."""
    environment = {
        **COMPLETE,
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_ENDPOINT_URL_DYNAMODB": table_url,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "_HANDLER": handler,
    }
    command = [str(WRAPPER), sys.executable, "/var/runtime/bootstrap.py"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
        api.release()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1, said
    finally:
        process.kill()
        process.wait()


def watching(**query: str) -> dict[str, Any]:
    """A request for the stream."""
    return {
        "path": STREAM,
        "httpMethod": "GET",
        "headers": {},
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        "requestContext": {"authorizer": {**CALLER, "org": KEY.org}},
    }


def written() -> Sequence[Commit]:
    """Five commits, the last of which ends the log."""
    world = ReadingWorld()
    failing_task(world)
    return world.log.commits[KEY]


def test_a_process_that_has_served_a_stream_stays_small(
    api: FakeRuntimeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    commits = written()
    # Two are there at first; then, with every other look, one more.
    table = FakeTable(lambda number: commits[: 2 + max(0, number - 4) // 2])
    api.events.put(watching())
    with function(api, table.url) as process:
        assert api.is_waiting.wait(120), process.poll()
        resident_mb = _resident_kb(process.pid) / 1_024
    table.close()
    [report] = api.reports
    assert report.chunks is not None
    prelude, *chunks = report.chunks
    assert json.loads(prelude.removesuffix(DELIMITER))["statusCode"] == 200
    assert [int(event.last_event_id) for event in parse(b"".join(chunks))] == [1, 2, 3, 4, 5, 6, 7]
    assert report.trailers == {}
    with capsys.disabled():
        sys.stdout.write(f" [{resident_mb:.1f} MB resident after a stream] ")
    assert resident_mb < RESIDENT_MB


def test_the_past_is_read_consistently_and_what_comes_by_one_cheap_query_each_time(api: FakeRuntimeApi) -> None:
    commits = written()
    table = FakeTable(lambda number: commits if number > 8 else commits[:2])
    api.events.put(watching())
    with function(api, table.url) as process:
        assert api.is_waiting.wait(120), process.poll()
    table.close()
    opening, looking = table.queries[:3], table.queries[3:]
    # Where it ends; the same again with what it holds.
    assert [query["ConsistentRead"] for query in opening] == [True] * 3
    assert {query["ConsistentRead"] for query in looking} == {False}
    assert {query["KeyConditionExpression"] for query in looking} == {
        "execution = :execution AND #sequence > :sequence"
    }


def test_a_process_that_cannot_load_its_handler_says_so_and_exits(api: FakeRuntimeApi) -> None:
    with function(api, "http://127.0.0.1:1", "functions.stream.no_such_module.lambda_handler") as process:
        process.wait(60)
    [report] = api.reports
    assert report.path == "/2018-06-01/runtime/init/error"
    assert json.loads(report.body)["errorType"] == "ModuleNotFoundError"
    assert api.connections_of_next == []


NOT_FOR_WATCHERS = (
    "boto3",
    "s3transfer",
    "jwt",
    "cryptography",
    "jsonschema",
    "cronsim",
    "sqlite3",
    "starlette",
    "uvicorn",
    "anyio",
    "httpx2",
    "aws_lambda_powertools.event_handler",
    "flowstrand.sdk",
    "flowstrand.local",
    "flowstrand.http.application",
    "flowstrand.engine.replay.driver",
    "flowstrand.queues.sqs",
    "flowstrand.payloads.s3",
    "flowstrand.timers.aws",
    "flowstrand.service.tokens",
    "flowstrand.service.turn",
    "flowstrand.log.dynamodb_retention",
)
"""What costs memory for as long as somebody watches, and serves nobody who does."""

_IMPORT = """
import json, sys, time
began = time.perf_counter()
import functions.stream.app
imported = time.perf_counter()
from flowstrand.aws.composition import services
services()
print(json.dumps([imported - began, time.perf_counter() - imported, sorted(sys.modules)]))
"""


def test_a_watchers_process_imports_nothing_that_only_others_need(capsys: pytest.CaptureFixture[str]) -> None:
    assert [name for name in NOT_FOR_WATCHERS if find_spec(name) is None] == []
    environment = {**COMPLETE, "PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "eu-central-1"}
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    imported_s, composed_s, modules = json.loads(done.stdout)
    with capsys.disabled():
        sys.stdout.write(
            f" [{imported_s:.2f} s to import, {composed_s:.2f} s to compose, {len(modules)} modules] "
        )
    needless = [name for name in NOT_FOR_WATCHERS if name in modules]
    assert needless == []


def _resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))
