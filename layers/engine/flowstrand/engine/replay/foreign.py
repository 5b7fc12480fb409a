"""Refusing awaitables that no log event can answer: `asyncio.sleep`, an HTTP client, another loop's future."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

from flowstrand.errors import ForeignAwaitable

_ADVICE = {
    "call_later": "for a delay, use `await ctx.sleep(...)`",
    "call_at": "for a delay, use `await ctx.sleep_until(...)`",
    "time": "for the time, use `ctx.current_time()`",
    "create_task": "for concurrency, use `ctx.gather(...)` or `ctx.schedule_async(...)`",
    "run_in_executor": "for a side effect, use `await ctx.run(name, fn)`",
}
_DEFAULT = (
    "for a delay use `await ctx.sleep(...)`, for a side effect or I/O `await ctx.run(name, fn)` or a task, "
    "for concurrency `ctx.gather(...)`"
)


def refusal(awaited: object) -> ForeignAwaitable:
    """The error thrown into code that awaited something foreign."""
    what = "nothing (a bare yield, as `asyncio.sleep(0)` makes)" if awaited is None else type(awaited).__name__
    return ForeignAwaitable(f"workflow code awaited {what}, which no event in the log can answer: {_DEFAULT}")


class _NoLoop:
    """Stands where asyncio looks for a running loop, so that its use fails with advice instead of by accident."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in {"_default_executor", "_thread_id"}:
            raise AttributeError(name)
        advice = _ADVICE.get(name, _DEFAULT)

        def refuse(*_: object, **__: object) -> NoReturn:
            raise ForeignAwaitable(f"workflow code used asyncio (`loop.{name}`): {advice}")

        return refuse


_NO_LOOP = cast(asyncio.AbstractEventLoop, _NoLoop())


@contextmanager
def no_event_loop() -> Iterator[None]:
    """While workflow code runs on this thread, asyncio finds a loop that refuses everything."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(_NO_LOOP)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)
