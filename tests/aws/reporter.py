"""A pytest plugin: a line per scenario, as it ends, in place of dots."""

from __future__ import annotations

import re

import pytest


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str]:
    """What the summary counts; no letters."""
    return (report.outcome if report.when == "call" or not report.passed else "", "", "")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say what became of a scenario."""
    if report.when == "call" or not report.passed:
        reason = f": {report.longrepr[2]}" if report.skipped and isinstance(report.longrepr, tuple) else ""
        print(f"{title(report.location[2])} … {report.outcome}{reason} ({report.duration:.1f} s)", flush=True)


def title(test: str) -> str:
    """A test's name as a sentence, after the number of its scenario where it has one.

    `test_s1b_a_broad_except_changes_nothing` is `S1b  a broad except changes nothing`.
    """
    words = test.removeprefix("test_").replace("_", " ")
    numbered = re.match(r"s(\d+\w?) ", words)
    return f"S{numbered[1]:4}{words[numbered.end() :]}" if numbered else f"{'':5}{words}"
