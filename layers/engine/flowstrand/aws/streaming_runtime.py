"""A Lambda runtime for handlers that return a `StreamResponse`: `python3 -m flowstrand.aws.streaming_runtime`.

Python's managed runtime cannot stream. This loop takes its place under `AWS_LAMBDA_EXEC_WRAPPER` (see
`stream-wrapper`): it asks the Runtime API for an event, calls the handler, and sends what the response's body
yields, chunk by chunk. An error before the response has begun is reported as the invocation's; one in its middle
goes into the trailers, and clients resume from the last id they have. A runtime that streams by itself can replace
this module: handlers know nothing of it.
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
from dataclasses import dataclass
from typing import Any, TypeAlias

from flowstrand.aws.runtime_api import Invocation, ResponseWriter, RuntimeApi, RuntimeApiError
from flowstrand.streams.response import StreamResponse

Handler: TypeAlias = Callable[[dict[str, Any], "InvocationContext"], StreamResponse]

_logger = logging.getLogger(__name__)
_UNRECOVERABLE = 500


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
        if invocation.trace_id is not None:
            os.environ["_X_AMZN_TRACE_ID"] = invocation.trace_id  # where AWS clients look for it
        try:
            self._serve(invocation, runner)
        except RuntimeApiError as error:
            if error.status == _UNRECOVERABLE:
                raise
            _logger.exception("the response to %s was refused", invocation.request_id)

    def _serve(self, invocation: Invocation, runner: asyncio.Runner) -> None:
        try:
            response = self._handler(json.loads(invocation.event), InvocationContext.of(invocation, os.environ))
            headers = {str(name): str(value) for name, value in response.headers.items()}
        except Exception as error:
            _logger.exception("the handler failed")
            self._api.invocation_error(invocation.request_id, error)
            return
        runner.run(self._send(invocation.request_id, response, headers))

    async def _send(self, request_id: str, response: StreamResponse, headers: Mapping[str, str]) -> None:
        body = response.body
        try:
            writer = self._api.stream_response(request_id, response.status, headers)
            try:
                await _pump(body, writer)
            finally:
                writer.abandon()
        except OSError:
            _logger.warning("the connection of %s broke; nobody is left to tell", request_id, exc_info=True)
        finally:
            await _close(body)


async def _pump(body: AsyncIterator[bytes] | None, writer: ResponseWriter) -> None:
    """Send every chunk as it comes, then end the response, in its trailers if the body fails."""
    while body is not None:
        try:
            chunk = await anext(body)
        except StopAsyncIteration:
            break
        except Exception as error:
            _logger.exception("the response broke off")
            writer.fail(error)
            return
        writer.write(chunk)
    writer.finish()


async def _close(body: AsyncIterator[bytes] | None) -> None:
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()


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
        api.initialization_error(error)
        return 1
    try:
        StreamingRuntime(api, handler).run()
    except RuntimeApiError:
        _logger.exception("the Runtime API cannot go on")
    return 1


if __name__ == "__main__":
    sys.exit(main())
