"""`flowstrand trace`: what it sends to a collector, and what it says when that will not have it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner

from flowstrand.cli.program import program
from tests.unit.histories.record import VERSIONS

RUNNER = CliRunner()
RECORDED = str(VERSIONS / "export-1.jsonl")


class Collector(HTTPServer):
    """Takes one request after the other, with a status of the test's."""

    status = 200

    def __init__(self) -> None:
        self.taken: list[tuple[str, str | None, Any]] = []
        super().__init__(("127.0.0.1", 0), _Taking)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers["x-token"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_are_sent_as_otlp(collector: Collector) -> None:
    result = RUNNER.invoke(
        program, ["trace", RECORDED, "--otlp", collector.url, "--header", "x-token=t", "--json"]
    )

    assert result.exit_code == 0, result.output
    [(path, token, body)] = collector.taken
    assert (path, token) == ("/v1/traces", "t")
    [resource] = body["resourceSpans"]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "flowstrand"}}]
    spans = resource["scopeSpans"][0]["spans"]
    assert json.loads(result.stdout) == {"executions": 1, "spans": len(spans)}
    root = spans[-1]
    assert "parentSpanId" not in root
    assert (root["kind"], root["status"]) == (2, {"code": 1})
    assert int(root["endTimeUnixNano"]) >= int(root["startTimeUnixNano"]) > 10**18
    assert {span["traceId"] for span in spans} == {root["traceId"]}
    assert {span.get("parentSpanId") for span in spans} <= {span["spanId"] for span in spans} | {None}


def test_without_a_collector_it_is_written(collector: Collector) -> None:
    result = RUNNER.invoke(program, ["trace", RECORDED])

    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["resourceSpans"][0]["scopeSpans"][0]["spans"]) > 1


def test_a_collector_that_will_not_have_it_is_said(collector: Collector) -> None:
    collector.status = 403
    result = RUNNER.invoke(program, ["trace", RECORDED, "--otlp", f"{collector.url}/v1/traces"])

    assert result.exit_code != 0
    assert "answered 403" in result.output


def test_files_or_an_execution() -> None:
    assert RUNNER.invoke(program, ["trace"]).exit_code == 2
