"""A Lambda runtime for handlers that return a `StreamResponse`: `python3 -m flowstrand.aws.streaming_runtime`.

Python's managed runtime cannot stream. This loop takes its place under `AWS_LAMBDA_EXEC_WRAPPER` (see
`stream-wrapper`): it asks the Runtime API for an event, calls the handler, and sends what the response's body
yields, chunk by chunk. An error before the response has begun is reported as the invocation's; one in its middle
goes into the trailers, and clients resume from the last id they have. A response that would outlast the invocation is ended a
moment before Lambda would break it off. A runtime that streams by itself can replace this module: handlers know nothing of it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from typing import Any, TypeAlias

from flowstrand.aws.runtime_api import Invocation, ResponseWriter, RuntimeApi, RuntimeApiError
from flowstrand.dataclass import dataclass
from flowstrand.streams.response import StreamResponse

Handler: TypeAlias = Callable[[dict[str, Any], "InvocationContext"], StreamResponse]

_logger = logging.getLogger("flowstrand.stream")
_UNRECOVERABLE = 500
_TRACE = "_X_AMZN_TRACE_ID"
_MARGIN_MS = 500
"""How long before its deadline an invocation stops waiting for chunks, in order to end its response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationContext:
    """What Lambda's Python handlers know as `context`."""

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    deadline_ms: int

    @classmethod
    def of(cls, invocation: Invocation, environment: Mapping[str, str]) -> InvocationContext:
        """The context of one invocation."""
        return cls(
            aws_request_id=invocation.request_id,
            invoked_function_arn=invocation.function_arn,
            function_name=environment.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            function_version=environment.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            memory_limit_in_mb=environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""),
            deadline_ms=invocation.deadline_ms,
        )

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        return max(0, self.deadline_ms - time.time_ns() // 1_000_000)


class StreamingRuntime:
    """Serves invocations one after the other, on one event loop."""

    def __init__(self, api: RuntimeApi, handler: Handler) -> None:
        self._api = api
        self._handler = handler

    def run(self) -> None:
        """Serve until the Runtime API says that this process must exit, which raises `RuntimeApiError`."""
        with asyncio.Runner() as runner:
            while True:
                self.serve_one(runner)

    def serve_one(self, runner: asyncio.Runner) -> None:
        """Wait for one event and see its response through, whatever becomes of it.

        Raises:
            RuntimeApiError: the Runtime API cannot go on, or gives no event.
        """
        invocation = self._api.next_invocation()
        _trace(invocation.trace_id)
        try:
            self._serve(invocation, runner)
        except RuntimeApiError as error:
            if error.status == _UNRECOVERABLE:
                raise
            _logger.exception("the response to %s was refused", invocation.request_id)

    def _serve(self, invocation: Invocation, runner: asyncio.Runner) -> None:
        context = InvocationContext.of(invocation, os.environ)
        try:
            response = self._handler(json.loads(invocation.event), context)
            headers = {str(name): str(value) for name, value in response.headers.items()}
        except Exception as error:
            _logger.exception("the handler failed")
            self._api.invocation_error(invocation.request_id, error)
            return
        runner.run(self._send(context, response, headers))

    async def _send(
        self, context: InvocationContext, response: StreamResponse, headers: Mapping[str, str]
    ) -> None:
        try:
            writer = self._api.stream_response(context.aws_request_id, response.status, headers)
        except OSError as error:
            _logger.warning("the response of %s could not begin", context.aws_request_id, exc_info=True)
            await _close(response.body)
            self._api.invocation_error(context.aws_request_id, error)
            return
        try:
            await _pump(response.body, writer, context)
        except OSError:
            _logger.warning(
                "the connection of %s broke; nobody is left to tell", context.aws_request_id, exc_info=True
            )
        finally:
            writer.abandon()
            await _close(response.body)


async def _pump(body: AsyncIterator[bytes] | None, writer: ResponseWriter, context: InvocationContext) -> None:
    """Send every chunk as it comes, then end the response, in its trailers if the body fails."""
    while body is not None:
        try:
            chunk = await _next(body, context)
        except (
            Exception,
            asyncio.CancelledError,
        ) as error:  # nobody cancels this task: it is the body's own failure
            _logger.exception("the response broke off")
            writer.fail(error)
            return
        if chunk is None:
            break
        writer.write(chunk)
    writer.finish()


async def _next(body: AsyncIterator[bytes], context: InvocationContext) -> bytes | None:
    """The next chunk; None where there is none, or where it does not come while there is time to send it."""
    remaining_s = (context.get_remaining_time_in_millis() - _MARGIN_MS) / 1_000
    try:
        async with asyncio.timeout(remaining_s) as limit:
            return await anext(body, None)
    except TimeoutError:
        if not limit.expired():
            raise
        _logger.warning("the response to %s was ended before its invocation", context.aws_request_id)
        return None


async def _close(body: AsyncIterator[bytes] | None) -> None:
    """Close it, where it can be. One that fails at that has had its say."""
    close = getattr(body, "aclose", None)
    if close is not None:
        try:
            await close()
        except Exception:
            _logger.exception("the response's body could not be closed")


def _trace(id: str | None) -> None:
    """Leave the invocation's trace where AWS clients look for it; none is not that of the invocation before."""
    if id is None:
        os.environ.pop(_TRACE, None)
    else:
        os.environ[_TRACE] = id


def load_handler(name: str) -> Handler:
    """The function that `_HANDLER` names: `functions.stream.app.lambda_handler`, dots or slashes between modules.

    Raises:
        ImportError, AttributeError, ValueError: there is none.
    """
    module, _, function = name.replace("/", ".").rpartition(".")
    if not module:
        raise ValueError(f"not the name of a handler: {name!r}")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Load the handler and serve; returns the exit status when that cannot go on."""
    with closing(RuntimeApi(environment["AWS_LAMBDA_RUNTIME_API"])) as api:
        return _serve_with(api, environment.get("_HANDLER", ""))


def _serve_with(api: RuntimeApi, handler_name: str) -> int:
    try:
        handler = load_handler(handler_name)
    except Exception as error:
        _logger.exception("the handler cannot be loaded")
        _report_initialization(api, error)
        return 1
    try:
        StreamingRuntime(api, handler).run()
    except (RuntimeApiError, OSError):
        _logger.exception("the Runtime API cannot go on")
    return 1


def _report_initialization(api: RuntimeApi, error: Exception) -> None:
    try:
        api.initialization_error(error)
    except (RuntimeApiError, OSError):
        _logger.exception("nor can that be reported")


if __name__ == "__main__":
    sys.exit(main())
