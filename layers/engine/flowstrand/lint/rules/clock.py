"""FS101: the time of day, and clocks that only this process has."""

from __future__ import annotations

import ast
from typing import ClassVar

from flowstrand.lint.place import Place
from flowstrand.lint.rules.named_calls import Advice, NamedCalls

_NOW = "use ctx.current_time()"
_TODAY = "use ctx.current_time().date()"
_STAMP = "use ctx.current_time().timestamp()"
_ELAPSED = "use the difference of two ctx.current_time()"

_OF_A_GIVEN_TIME = {"time.localtime": 1, "time.gmtime": 1, "time.ctime": 1, "time.asctime": 1, "time.strftime": 2}
"""These read the clock unless they are given this many arguments."""


class Clock(NamedCalls):
    id = "FS101"
    name = "clock"
    summary = "Reads a clock: every replay would see another time."
    use = "`ctx.current_time()`"
    functions: ClassVar[Advice] = {
        "datetime.datetime.now": _NOW,
        "datetime.datetime.utcnow": _NOW,
        "datetime.datetime.today": _NOW,
        "datetime.date.today": _TODAY,
        "time.time": _STAMP,
        "time.time_ns": _STAMP,
        "time.clock_gettime": _STAMP,
        "time.clock_gettime_ns": _STAMP,
        "time.monotonic": _ELAPSED,
        "time.monotonic_ns": _ELAPSED,
        "time.perf_counter": _ELAPSED,
        "time.perf_counter_ns": _ELAPSED,
        "time.process_time": _ELAPSED,
        "time.process_time_ns": _ELAPSED,
        "time.thread_time": _ELAPSED,
        "time.thread_time_ns": _ELAPSED,
        **dict.fromkeys(_OF_A_GIVEN_TIME, _NOW),
        "arrow.now": _NOW,
        "arrow.utcnow": _NOW,
        "pendulum.now": _NOW,
        "pendulum.today": _NOW,
        "django.utils.timezone.now": _NOW,
        "pandas.Timestamp.now": _NOW,
        "pandas.Timestamp.utcnow": _NOW,
    }

    def applies(self, place: Place, call: ast.Call) -> bool:
        """`time.strftime(format, given)` reads no clock."""
        needed = _OF_A_GIVEN_TIME.get(place.qualified(call.func) or "")
        return needed is None or len(call.args) < needed
