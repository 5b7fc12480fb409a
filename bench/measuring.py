"""Timing something several times, and the table of what came of it."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How long something took, in milliseconds.

    Attributes:
        cpu_ms: the median of what this process computed meanwhile; on a busy machine the rest is waiting for a core.
    """

    what: str
    median_ms: float
    least_ms: float
    cpu_ms: float
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
    computed: list[float] = []
    for _ in range(rounds):
        gc.collect()
        began, began_cpu = time.perf_counter(), time.process_time()
        work()
        computed.append((time.process_time() - began_cpu) * 1_000)
        times.append((time.perf_counter() - began) * 1_000)
    return Measured(
        what=what,
        median_ms=statistics.median(times),
        least_ms=min(times),
        cpu_ms=statistics.median(computed),
        rounds=rounds,
    )


def growth(small: Callable[[], object], large: Callable[[], object], *, repeats: int, rounds: int) -> float:
    """How many times as long `large` takes as `small`: the median over rounds, each of which times both.

    Args:
        repeats: how often `small` runs for each `large`, so that both are timed for about as long, and whatever else the
            machine does slows both alike.
    """
    ratios = [_seconds(large, 1) / _seconds(small, repeats) for _ in range(rounds)]
    return statistics.median(ratios)


def _seconds(work: Callable[[], object], repeats: int) -> float:
    gc.collect()
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - began) / repeats


def report(measured: list[Measured], targets: list[Target]) -> int:
    """Print both; returns the exit status: 1 where a target is missed."""
    width = max(len(what) for what in [*(row.what for row in measured), *(target.what for target in targets)])
    print(f"{'':{width}}  {'median':>12}  {'least':>12}  {'of it CPU':>12}  rounds")
    for row in measured:
        times = "  ".join(f"{ms:9.2f} ms" for ms in (row.median_ms, row.least_ms, row.cpu_ms))
        print(f"{row.what:{width}}  {times}  {row.rounds:6}")
    print()
    return verdicts(targets)


def verdicts(targets: list[Target]) -> int:
    """Print what is met and what is missed; returns the exit status: 1 where a target is missed."""
    width = max(len(target.what) for target in targets)
    for target in targets:
        verdict = "ok" if target.is_met else "MISSED"
        print(
            f"{target.what:{width}}  {target.value:9.2f}{target.unit:3}  < {target.limit:.0f}{target.unit:3}  {verdict}"
        )
    return 0 if all(target.is_met for target in targets) else 1
