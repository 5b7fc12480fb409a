"""SIGTERM and SIGINT, as calls on the event loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_TERMINATION = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_termination(call: Callable[[], None]) -> Iterator[None]:
    """While entered, `call` is called on the running loop at each termination signal.

    Outside the main thread, where signals cannot be handled, nothing changes.
    """
    loop = asyncio.get_running_loop()
    handled: list[signal.Signals] = []
    for number in _TERMINATION:
        try:
            loop.add_signal_handler(number, call)
        except (NotImplementedError, RuntimeError, ValueError):
            break
        handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
