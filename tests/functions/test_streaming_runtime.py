"""The streaming runtime against a fake Runtime API on a loopback socket."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import flowstrand.aws
from flowstrand.aws.runtime_api import CONTENT_TYPE, DELIMITER, RuntimeApi, RuntimeApiError
from flowstrand.aws.streaming_runtime import InvocationContext, StreamingRuntime, load_handler, main
from flowstrand.streams.response import StreamResponse
from tests.functions.fake_runtime_api import FakeRuntimeApi, Received

TRAILERS = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"


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


def streaming(*chunks: bytes | BaseException, closed: list[bool] | None = None) -> Handler:
    """A handler whose body yields `chunks`, or raises where one is an exception."""

    async def body() -> AsyncIterator[bytes]:
        try:
            for chunk in chunks:
                if isinstance(chunk, BaseException):
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


# --- the deadline ------------------------------------------------------------------------------------------------------


async def _silent(closed: list[bool]) -> AsyncIterator[bytes]:
    try:
        yield b"one"
        await asyncio.Event().wait()
    finally:
        closed.append(True)


def test_a_response_that_would_outlast_its_invocation_is_complete_before_lambda_ends_it(
    api: FakeRuntimeApi,
) -> None:
    api.time_ms = 1_000
    closed: list[bool] = []
    [report] = serve(api, lambda event, context: StreamResponse(status=200, body=_silent(closed)))
    assert report.chunks is not None
    assert report.chunks[1:] == [b"one"]
    assert report.trailers == {}
    assert closed == [True]
    assert report.at_ms < report.deadline_ms


def test_an_invocation_without_time_is_ended_as_soon_as_its_body_waits(api: FakeRuntimeApi) -> None:
    api.time_ms = -5_000
    closed: list[bool] = []
    [report] = serve(api, lambda event, context: StreamResponse(status=200, body=_silent(closed)))
    assert report.trailers == {}
    assert closed == [True]


def test_a_body_that_times_out_by_itself_has_failed(api: FakeRuntimeApi) -> None:
    [report] = serve(api, streaming(b"one", TimeoutError("the store took too long")))
    assert report.trailers["Lambda-Runtime-Function-Error-Type"] == "Function.TimeoutError"


# --- errors, one after the other ---------------------------------------------------------------------------------------


def test_a_body_that_is_cancelled_has_failed_and_the_next_event_is_served(api: FakeRuntimeApi) -> None:
    first, second = serve(api, streaming(b"one", asyncio.CancelledError()), {}, {})
    assert first.trailers["Lambda-Runtime-Function-Error-Type"] == "Function.CancelledError"
    assert second.path.startswith("/2018-06-01/runtime/invocation/request-2")


def test_a_body_that_cannot_be_closed_does_not_end_the_runtime(api: FakeRuntimeApi) -> None:
    class Stubborn:
        def __aiter__(self) -> Stubborn:
            return self

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

        async def aclose(self) -> None:
            raise RuntimeError("not now")

    assert len(serve(api, lambda event, context: StreamResponse(status=200, body=Stubborn()), {}, {})) == 2


def test_a_response_that_the_api_cannot_take_ends_the_process(api: FakeRuntimeApi) -> None:
    api.status_of_response = 500
    assert len(serve(api, streaming(b"one"), {}, {})) == 1
    assert not api.events.empty()


def test_a_response_that_cannot_begin_is_an_invocation_error(
    api: FakeRuntimeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []

    def refuse(*_: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr("flowstrand.aws.runtime_api.ResponseWriter.__init__", refuse)
    reports = serve(api, streaming(b"one"), {}, {})
    assert [report.path.rsplit("/", 1)[1] for report in reports] == ["error", "error"]
    assert closed == []


def test_a_refused_report_of_an_error_does_not_end_the_runtime(api: FakeRuntimeApi) -> None:
    api.status_of_error = 413

    def handler(event: dict[str, Any], context: InvocationContext) -> StreamResponse:
        raise LookupError("x" * 10_000)

    first, second = serve(api, handler, {}, {})
    assert len(json.loads(first.body)["errorMessage"]) == len(json.loads(second.body)["errorMessage"]) == 1_000


@pytest.mark.parametrize("headers", [{"x": object()}, {"x": 1}])
def test_headers_are_text_whatever_a_handler_gives(api: FakeRuntimeApi, headers: dict[str, Any]) -> None:
    [report] = serve(api, lambda event, context: StreamResponse(status=200, headers=headers))
    assert report.chunks is not None
    assert json.loads(report.chunks[0].removesuffix(DELIMITER))["headers"] == {"x": str(headers["x"])}


def test_an_invocation_without_a_trace_has_none(api: FakeRuntimeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=0-0")
    api.trace_id = None
    serve(api, streaming(b"one"))
    assert "_X_AMZN_TRACE_ID" not in os.environ


@pytest.mark.parametrize("status", [403, 413, 500])
def test_an_initialization_error_that_is_refused_still_ends_the_process_in_order(
    api: FakeRuntimeApi, status: int
) -> None:
    api.status_of_error = status
    assert main({"AWS_LAMBDA_RUNTIME_API": api.address, "_HANDLER": "no_such_module.f"}) == 1


def test_without_a_runtime_api_the_process_ends_in_order() -> None:
    environment = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "_HANDLER": "json.dumps"}
    assert main(environment) == 1


# --- a thousand invocations --------------------------------------------------------------------------------------------


def _mixed(event: dict[str, Any], context: InvocationContext) -> StreamResponse:
    """Good and bad ones in turn, each of which makes objects that a leak would keep."""
    kind = event["kind"]
    if kind == "refuses":
        raise LookupError(context.aws_request_id)
    bodies: dict[str, tuple[bytes | Exception, ...]] = {
        "streams": (b"one", b"two" * 1_000),
        "fails": (b"one", ValueError(context.aws_request_id)),
        "is empty": (),
    }
    return streaming(*bodies[kind])(event, context)


_KINDS = ("streams", "refuses", "fails", "is empty", "streams")


def test_a_thousand_invocations_leave_nothing_behind(api: FakeRuntimeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowstrand.aws.streaming_runtime._logger.disabled", True)  # pytest keeps what is logged
    with closing(RuntimeApi(api.address)) as client, asyncio.Runner() as runner:
        runtime = StreamingRuntime(client, _mixed)

        def serve_some(count: int) -> tuple[int, int, int]:
            """File descriptors, objects and tasks afterwards."""
            for number in range(count):
                api.events.put({"kind": _KINDS[number % len(_KINDS)]})
                runtime.serve_one(runner)
            assert len(api.reports) == count
            api.forget()
            gc.collect()
            tasks = len(asyncio.all_tasks(runner.get_loop()))
            return len(list(Path("/proc/self/fd").iterdir())), len(gc.get_objects()), tasks

        serve_some(100)
        descriptors, objects, _ = serve_some(100)
        descriptors_after, objects_after, tasks_after = serve_some(1_000)
    # The server of this very process may still be closing a connection or two.
    assert descriptors_after <= descriptors + 5
    assert objects_after <= objects + 500  # half an object for each invocation
    assert tasks_after == 0
    assert len(set(api.connections_of_next)) == 1
