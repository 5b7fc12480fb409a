"""The streaming runtime against a fake Runtime API on a loopback socket."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

import flowstrand.aws
from flowstrand.aws.runtime_api import CONTENT_TYPE, DELIMITER, RuntimeApi, RuntimeApiError
from flowstrand.aws.streaming_runtime import InvocationContext, StreamingRuntime, load_handler, main
from flowstrand.streams.response import StreamResponse

TRAILERS = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"


@dataclass
class Received:
    """One POST as it arrived. `chunks` are those of the wire, None where the body was not chunked."""

    path: str
    headers: dict[str, str]
    chunks: list[bytes] | None = None
    trailers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class FakeRuntimeApi:
    """Answers `next` from a queue of events and remembers every report. Without events left it answers 500."""

    def __init__(self) -> None:
        self.events: Queue[dict[str, Any] | None] = Queue()
        self.reports: list[Received] = []
        self.chunk_arrived: Queue[bytes] = Queue()
        self.connections_of_next: list[int] = []
        self.closes_after_next = False
        self.breaks_after_chunks: int | None = None
        self.status_of_response = 202
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake.answer_next(self)

            def do_POST(self) -> None:
                fake.receive(self)

            def log_message(self, format: str, *arguments: object) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False  # closing the server joins its threads
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer_next(self, request: BaseHTTPRequestHandler) -> None:
        self.connections_of_next.append(request.client_address[1])
        event = None if self.events.empty() else self.events.get()
        body = b"" if event is None else json.dumps(event).encode()
        request.send_response(500 if event is None else 200)
        request.send_header("Lambda-Runtime-Aws-Request-Id", f"request-{len(self.connections_of_next)}")
        request.send_header("Lambda-Runtime-Deadline-Ms", "1800000000000")
        request.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:stream")
        request.send_header("Lambda-Runtime-Trace-Id", "Root=1-2")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
        # Closed without a word, as an idle connection may be.
        request.close_connection = self.closes_after_next

    def receive(self, request: BaseHTTPRequestHandler) -> None:
        received = Received(request.path, dict(request.headers.items()))
        if request.headers.get("Transfer-Encoding") == "chunked":
            if not self._receive_chunks(request, received):
                request.close_connection = True
                return
        else:
            received.body = request.rfile.read(int(request.headers["Content-Length"]))
        self.reports.append(received)
        request.send_response(self.status_of_response)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _receive_chunks(self, request: BaseHTTPRequestHandler, received: Received) -> bool:
        received.chunks = []
        while size := int(request.rfile.readline(), 16):
            chunk = request.rfile.read(size)
            assert request.rfile.readline() == b"\r\n"
            received.chunks.append(chunk)
            self.chunk_arrived.put(chunk)
            if len(received.chunks) == self.breaks_after_chunks:
                return False
        while line := request.rfile.readline().strip():
            name, _, value = line.decode().partition(": ")
            received.trailers[name] = value
        return True


@pytest.fixture
def api() -> Iterator[FakeRuntimeApi]:
    fake = FakeRuntimeApi()
    yield fake
    fake.close()


Handler = Callable[[dict[str, Any], InvocationContext], StreamResponse]


def serve(api: FakeRuntimeApi, handler: Handler, *events: dict[str, Any]) -> list[Received]:
    """Let the runtime serve `events` and return what it reported."""
    for event in events or ({},):
        api.events.put(event)
    with closing(RuntimeApi(api.address)) as client, pytest.raises(RuntimeApiError) as stopped:
        StreamingRuntime(client, handler).run()
    assert stopped.value.status == 500
    return api.reports


def streaming(*chunks: bytes | Exception, closed: list[bool] | None = None) -> Handler:
    """A handler whose body yields `chunks`, or raises where one is an exception."""

    async def body() -> AsyncIterator[bytes]:
        try:
            for chunk in chunks:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            if closed is not None:
                closed.append(True)

    return lambda event, context: StreamResponse(status=200, headers={"x-a": "b"}, body=body())


def test_a_response_begins_with_a_json_prelude_and_eight_nul_bytes(api: FakeRuntimeApi) -> None:
    [report] = serve(api, streaming(b"hello"))
    assert report.path == "/2018-06-01/runtime/invocation/request-1/response"
    assert report.chunks is not None
    prelude, delimiter, rest = report.chunks[0].partition(b"\0" * 8)
    assert json.loads(prelude) == {"statusCode": 200, "headers": {"x-a": "b"}}
    assert (delimiter, rest) == (DELIMITER, b"")
    assert report.chunks[1:] == [b"hello"]


def test_a_response_announces_streaming_its_content_type_and_its_trailers(api: FakeRuntimeApi) -> None:
    [report] = serve(api, streaming(b"hello"))
    headers = {name.lower(): value for name, value in report.headers.items()}
    assert headers["lambda-runtime-function-response-mode"] == "streaming"
    assert headers["transfer-encoding"] == "chunked"
    assert headers["content-type"] == CONTENT_TYPE == "application/vnd.awslambda.http-integration-response"
    assert headers["trailer"] == TRAILERS
    assert "content-length" not in headers


def test_chunks_arrive_as_they_are_written(api: FakeRuntimeApi) -> None:
    written = [b"one", b"two\r\n", bytes(range(256)) * 300]

    async def body() -> AsyncIterator[bytes]:
        assert api.chunk_arrived.get(timeout=10).endswith(DELIMITER)
        for chunk in written:
            yield chunk
            # The other side holds this chunk before the next one exists.
            arrived = await asyncio.to_thread(api.chunk_arrived.get, timeout=10)
            assert arrived == chunk

    [report] = serve(api, lambda event, context: StreamResponse(status=200, body=body()))
    assert report.chunks is not None
    assert report.chunks[1:] == written
    assert report.trailers == {}


def test_an_empty_chunk_does_not_end_the_response(api: FakeRuntimeApi) -> None:
    [report] = serve(api, streaming(b"one", b"", b"two"))
    assert report.chunks is not None
    assert report.chunks[1:] == [b"one", b"two"]


def test_a_response_without_a_body_is_its_prelude(api: FakeRuntimeApi) -> None:
    [report] = serve(api, lambda event, context: StreamResponse(status=204))
    assert report.chunks == [b'{"statusCode": 204, "headers": {}}' + DELIMITER]


def test_an_error_in_the_middle_goes_into_the_trailers(api: FakeRuntimeApi) -> None:
    [report] = serve(api, streaming(b"one", ValueError("lost the thread\r\nInjected: header")))
    assert report.chunks is not None
    assert report.chunks[1:] == [b"one"]
    assert set(report.trailers) == set(TRAILERS.split(", "))
    assert report.trailers["Lambda-Runtime-Function-Error-Type"] == "Function.ValueError"
    error = json.loads(base64.b64decode(report.trailers["Lambda-Runtime-Function-Error-Body"]))
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"].startswith("lost the thread")
    assert error["stackTrace"]


def test_a_handler_that_fails_before_its_response_is_an_invocation_error(api: FakeRuntimeApi) -> None:
    def handler(event: dict[str, Any], context: InvocationContext) -> StreamResponse:
        raise LookupError("nothing to stream")

    [report] = serve(api, handler)
    assert report.path == "/2018-06-01/runtime/invocation/request-1/error"
    assert report.headers["Lambda-Runtime-Function-Error-Type"] == "Function.LookupError"
    assert json.loads(report.body)["errorMessage"] == "nothing to stream"
    assert report.chunks is None


def test_after_an_error_the_next_event_is_served(api: FakeRuntimeApi) -> None:
    def handler(event: dict[str, Any], context: InvocationContext) -> StreamResponse:
        return streaming(b"one", *([] if event["good"] else [KeyError("x")]))(event, context)

    first, second, third = serve(api, handler, {"good": True}, {"good": False}, {"good": True})
    assert [bool(report.trailers) for report in (first, second, third)] == [False, True, False]
    assert third.path == "/2018-06-01/runtime/invocation/request-3/response"


def test_the_connection_for_events_is_kept(api: FakeRuntimeApi) -> None:
    serve(api, streaming(b"one"), {}, {}, {})
    assert len(api.connections_of_next) == 4
    assert len(set(api.connections_of_next)) == 1


def test_a_kept_connection_that_was_closed_is_opened_again(api: FakeRuntimeApi) -> None:
    api.closes_after_next = True
    reports = serve(api, streaming(b"one"), {}, {})
    assert len(reports) == 2
    assert len(set(api.connections_of_next)) == 3


def test_a_connection_that_breaks_closes_the_body_and_serves_on(api: FakeRuntimeApi) -> None:
    closed: list[bool] = []
    api.breaks_after_chunks = 2
    reports = serve(api, streaming(b"one", *[b"x" * 65_536] * 400, closed=closed), {}, {})
    assert reports == []
    assert closed == [True, True]


def test_a_refused_response_does_not_end_the_runtime(api: FakeRuntimeApi) -> None:
    api.status_of_response = 413
    assert len(serve(api, streaming(b"one"), {}, {})) == 2


def test_the_handler_is_told_what_lambda_tells(api: FakeRuntimeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "stream")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "")
    seen: list[tuple[dict[str, Any], InvocationContext]] = []

    def handler(event: dict[str, Any], context: InvocationContext) -> StreamResponse:
        seen.append((event, context))
        return StreamResponse(status=204)

    serve(api, handler, {"path": "/ä"})
    [(event, context)] = seen
    assert event == {"path": "/ä"}
    assert (context.aws_request_id, context.function_name) == ("request-1", "stream")
    assert context.invoked_function_arn == "arn:aws:lambda:eu-central-1:1:function:stream"
    assert context.get_remaining_time_in_millis() > 0
    assert os.environ["_X_AMZN_TRACE_ID"] == "Root=1-2"


@pytest.mark.parametrize("handler", ["no_such_module.lambda_handler", "json.no_such_function", "json", ""])
def test_a_handler_that_cannot_be_loaded_is_an_initialization_error(api: FakeRuntimeApi, handler: str) -> None:
    assert main({"AWS_LAMBDA_RUNTIME_API": api.address, "_HANDLER": handler}) == 1
    [report] = api.reports
    assert report.path == "/2018-06-01/runtime/init/error"
    assert set(json.loads(report.body)) == {"errorType", "errorMessage", "stackTrace"}
    assert report.headers["Lambda-Runtime-Function-Error-Type"].startswith("Function.")
    assert api.connections_of_next == []


@pytest.mark.parametrize("name", ["http.client.parse_headers", "http/client.parse_headers"])
def test_a_handler_is_named_by_its_module_and_function(name: str) -> None:
    assert load_handler(name).__name__ == "parse_headers"


def test_the_wrapper_starts_the_runtime_with_the_interpreter_that_lambda_names(
    api: FakeRuntimeApi, tmp_path: Path
) -> None:
    (tmp_path / "greeting.py").write_text(
        "from flowstrand.streams.response import StreamResponse\n"
        "def lambda_handler(event, context):\n"
        "    return StreamResponse.of_json(200, {'hello': event['name']})\n"
    )
    api.events.put({"name": "world"})
    wrapper = Path(next(iter(flowstrand.aws.__path__))) / "stream-wrapper"
    assert os.access(wrapper, os.X_OK)
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "_HANDLER": "greeting.lambda_handler",
    }
    command = [str(wrapper), sys.executable, "/var/runtime/bootstrap.py"]
    finished = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert finished.returncode == 1, finished.stderr  # the fake has no more events, so the runtime must exit
    [report] = api.reports
    assert report.chunks is not None
    assert report.chunks[1:] == [b'{"hello":"world"}']
