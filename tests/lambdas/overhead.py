"""What Lambda's runtime client adds to a handler that is warm: its round trip, against the handler called in a process of the same kind.

Both processes have the same interpreter, the same code and layers, the same environment and the same stores; they take turns, so whatever
else the machine does slows both alike. A round trip is what the Runtime API sees of it: from the event, whole, to the answer,
whole. In it are HTTP on loopback, JSON both ways, and the runtime's own work.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.lambdas.function import LambdaFunction
from tests.lambdas.mounts import interpreter

_CALLS = """
import importlib, json, sys, time
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)

class Context:
    function_name = function_version = memory_limit_in_mb = invoked_function_arn = aws_request_id = "none"
    def get_remaining_time_in_millis(self):
        return 29_000

for line in sys.stdin:
    event, context = json.loads(line), Context()
    began = time.perf_counter()
    handler(event, context)
    print("took", (time.perf_counter() - began) * 1_000, flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Milliseconds; of each pair the median and the 95th percentile.

    Attributes:
        called: the handler in process.
        round_trip: the same under the runtime client.
    """

    what: str
    called: tuple[float, float]
    round_trip: tuple[float, float]
    rounds: int

    def __str__(self) -> str:
        (called, called_p95), (trip, trip_p95) = self.called, self.round_trip
        return (
            f"{self.what:24}  called {called:6.2f} ms (p95 {called_p95:6.2f})  "
            f"round trip {trip:6.2f} ms (p95 {trip_p95:6.2f})  "
            f"ratio {trip / called:5.2f} (p95 {trip_p95 / called_p95:5.2f})  adds {trip - called:5.2f} ms"
        )


def overhead(function: LambdaFunction, event: Mapping[str, Any], what: str, *, rounds: int) -> Overhead:
    """Measure a handler with an event that it can answer again and again, after a few that are not counted."""
    called: list[float] = []
    trips: list[float] = []
    with _calls(function) as call:
        for number in range(-5, rounds):
            one, other = call(event), function.timed(event)
            if number >= 0:
                called.append(one)
                trips.append(other)
    return Overhead(what=what, called=_summary(called), round_trip=_summary(trips), rounds=rounds)


@contextmanager
def _calls(function: LambdaFunction) -> Iterator[Any]:
    """Calls the handler in a process without a runtime."""
    command = [interpreter().path, "-c", _CALLS, function.specification.handler]
    environment = dict(function.specification.environment)
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=function.mounts.task,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def call(event: Mapping[str, Any]) -> float:
            asked.write(json.dumps(event) + "\n")
            asked.flush()
            for line in told:
                word, _, number = line.partition(" ")
                if word == "took":  # what the handler logs comes here, too
                    return float(number)
            raise RuntimeError(f"{command[-1]} ended")

        try:
            yield call
        finally:
            asked.close()


def _summary(times: Sequence[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]
