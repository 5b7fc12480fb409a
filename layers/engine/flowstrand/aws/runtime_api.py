"""The documented Lambda Runtime API, version 2018-06-01, as a client with streamed responses.

See "Using the Lambda runtime API for custom runtimes" and "Implementing response streaming in a custom runtime" in
the Lambda developer guide, and "Set up a Lambda proxy integration with payload response streaming" in that of
API Gateway. Standard library only: nothing here may slow a cold start.
"""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject

CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
"""Announces a prelude: `{"statusCode", "headers"}` as JSON, then `DELIMITER`, then the body."""
DELIMITER = b"\0" * 8

_ROOT = "/2018-06-01/runtime"
_ERROR_TYPE, _ERROR_BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"
_STALE = (RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""What using a kept connection raises when the other side has closed it meanwhile."""
_NEVER_MS = 2**53
_STACK_DEPTH = 8
_MESSAGE_LENGTH = 1_000


class RuntimeApiError(Exception):
    """The Runtime API refused a request. `status` 500 means that this process must exit."""

    def __init__(self, status: int, path: str) -> None:
        super().__init__(f"the Runtime API answered {path} with {status}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event to handle.

    Attributes:
        deadline_ms: when Lambda ends the invocation, epoch milliseconds.
    """

    request_id: str
    event: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str | None


class RuntimeApi:
    """One connection, kept between invocations, and one more for each streamed response."""

    def __init__(self, address: str) -> None:
        """`address` is `AWS_LAMBDA_RUNTIME_API`: host and port."""
        self._address = address
        # Without a timeout: the environment may be frozen for hours while it waits for the next event.
        self._connection = HTTPConnection(address)

    def next_invocation(self) -> Invocation:
        """Wait for an event.

        Raises:
            RuntimeApiError: the request was refused.
        """
        headers, body = self._request("GET", f"{_ROOT}/invocation/next")
        return Invocation(
            request_id=headers["lambda-runtime-aws-request-id"],
            event=body,
            deadline_ms=int(headers.get("lambda-runtime-deadline-ms", _NEVER_MS)),
            function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
            trace_id=headers.get("lambda-runtime-trace-id"),
        )

    def stream_response(self, request_id: str, status: int, headers: Mapping[str, str]) -> ResponseWriter:
        """Begin the response; the prelude has been sent when this returns.

        Raises:
            OSError: the connection failed.
        """
        return ResponseWriter(self._address, request_id, status, headers)

    def invocation_error(self, request_id: str, error: BaseException) -> None:
        """Report that handling failed before its response had begun.

        Raises:
            RuntimeApiError: the report was refused.
        """
        self._report(f"{_ROOT}/invocation/{request_id}/error", error)

    def initialization_error(self, error: BaseException) -> None:
        """Report that this process cannot handle anything.

        Raises:
            RuntimeApiError: the report was refused.
        """
        self._report(f"{_ROOT}/init/error", error)

    def close(self) -> None:
        """Close the kept connection."""
        self._connection.close()

    def _report(self, path: str, error: BaseException) -> None:
        headers = {"Content-Type": "application/json", _ERROR_TYPE: error_type(error)}
        self._request("POST", path, json.dumps(error_report(error)).encode(), headers)

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Mapping[str, str], bytes]:
        """One exchange; returns the headers, their names in lower case, and the body."""
        response = self._exchange(method, path, body, headers or {})
        content = response.read()
        if response.status >= 300:
            raise RuntimeApiError(response.status, path)
        return {name.lower(): value for name, value in response.headers.items()}, content

    def _exchange(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> HTTPResponse:
        """Send one request, once more if the kept connection turns out to be closed."""
        try:
            self._connection.request(method, path, body, headers)
            return self._connection.getresponse()
        except _STALE:
            self._connection.close()
            self._connection.request(method, path, body, headers)
            return self._connection.getresponse()


class ResponseWriter:
    """One streamed response, in HTTP/1.1 chunked transfer encoding; each `write` is one chunk, sent at once.

    End it with `finish` or `fail`, or leave it with `abandon`. Writing raises `OSError` when the connection is
    gone.
    """

    def __init__(self, address: str, request_id: str, status: int, headers: Mapping[str, str]) -> None:
        self._path = f"{_ROOT}/invocation/{request_id}/response"
        # Its own connection: it must be closed once the response is written.
        self._connection = HTTPConnection(address)
        prelude: JsonObject = {"statusCode": status, "headers": dict(headers)}
        try:
            self._begin()
            self.write(json.dumps(prelude).encode() + DELIMITER)
        except OSError:
            self.abandon()
            raise

    def write(self, chunk: bytes) -> None:
        """Send one chunk. An empty one would end the response, and is not sent."""
        if chunk:
            self._connection.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def finish(self) -> None:
        """The response is complete.

        Raises:
            RuntimeApiError: Lambda did not accept it.
        """
        self._end({})

    def fail(self, error: BaseException) -> None:
        """The response breaks off; the error goes into the trailers.

        Raises:
            RuntimeApiError: Lambda did not accept it.
        """
        report = base64.b64encode(json.dumps(error_report(error)).encode()).decode()
        self._end({_ERROR_TYPE: error_type(error), _ERROR_BODY: report})

    def abandon(self) -> None:
        """Close the connection, whatever has been sent."""
        self._connection.close()

    def _begin(self) -> None:
        self._connection.putrequest("POST", self._path, skip_accept_encoding=True)
        self._connection.putheader("Content-Type", CONTENT_TYPE)
        self._connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        self._connection.putheader("Transfer-Encoding", "chunked")
        self._connection.putheader("Trailer", f"{_ERROR_TYPE}, {_ERROR_BODY}")
        self._connection.endheaders()

    def _end(self, trailers: Mapping[str, str]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in trailers.items())
        try:
            self._connection.send(f"0\r\n{lines}\r\n".encode("ascii"))
            response = self._connection.getresponse()
            response.read()
        finally:
            self._connection.close()
        if response.status >= 300:
            raise RuntimeApiError(response.status, self._path)


def error_type(error: BaseException) -> str:
    """`<category>.<reason>`, as the Runtime API recommends; ASCII, since it goes into a header."""
    return f"Function.{type(error).__name__}".encode("ascii", "replace").decode()


def error_report(error: BaseException) -> JsonObject:
    """The Runtime API's error object. Its stack is kept short: it may have to travel in a header."""
    stack: list[str] = [line.rstrip("\n") for line in traceback.format_tb(error.__traceback__)[-_STACK_DEPTH:]]
    return {
        "errorType": type(error).__name__,
        "errorMessage": str(error)[:_MESSAGE_LENGTH],
        "stackTrace": [*stack],
    }
