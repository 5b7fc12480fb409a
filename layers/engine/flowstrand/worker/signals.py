"""Signals, as calls on the event loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

TERMINATION = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_signals(calls: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """While entered, a signal is a call on the running loop.

    Outside the main thread, where signals cannot be handled, nothing changes.
    """
    loop = asyncio.get_running_loop()
    handled: list[signal.Signals] = []
    for number, call in calls.items():
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
