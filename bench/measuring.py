"""Timing something several times, and the table of what came of it."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How long something took, in milliseconds."""

    what: str
    median_ms: float
    least_ms: float
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A number that must stay below a limit."""

    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it is."""
        return self.value < self.limit


def measure(what: str, work: Callable[[], object], *, rounds: int, warm_up: int = 1) -> Measured:
    """Time `work`, after running it untimed `warm_up` times."""
    for _ in range(warm_up):
        work()
    times: list[float] = []
    for _ in range(rounds):
        gc.collect()
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1_000)
    return Measured(what=what, median_ms=statistics.median(times), least_ms=min(times), rounds=rounds)


def report(measured: list[Measured], targets: list[Target]) -> int:
    """Print both; returns the exit status: 1 where a target is missed."""
    width = max(len(row.what) for row in [*measured, *targets])
    print(f"{'':{width}}  {'median':>12}  {'least':>12}  rounds")
    for row in measured:
        print(f"{row.what:{width}}  {row.median_ms:9.2f} ms  {row.least_ms:9.2f} ms  {row.rounds:6}")
    print()
    for target in targets:
        verdict = "ok" if target.is_met else "MISSED"
        print(
            f"{target.what:{width}}  {target.value:9.2f}{target.unit:3}  < {target.limit:7.1f}{target.unit:3}  {verdict}"
        )
    return 0 if all(target.is_met for target in targets) else 1
