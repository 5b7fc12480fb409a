"""The emulators that all stacks share, and one stack with the sample events' world for each function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest

from tests.lambdas.mounts import client_version, interpreter
from tests.lambdas.sample_world import sample_world
from tests.lambdas.stack import DeployedStack, Emulators, emulators
from tests.support.dynoxide import NAME

NewStack: TypeAlias = Callable[[], DeployedStack]


OVERHEAD = "overhead"
"""A property of tests; what is said of it is in the summary."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for status in ("passed", "failed") for report in terminalreporter.getreports(status)]
    said = [value for report in reports for name, value in report.user_properties if name == OVERHEAD]
    if said:
        terminalreporter.section("what the runtime client adds to a warm handler")
    for line in said:
        terminalreporter.write_line(str(line))


def pytest_report_header() -> str:
    python = interpreter()
    return f"awslambdaric {client_version()} on Python {python.version} ({python.path}), {NAME}"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    with emulators(tmp_path_factory.mktemp("emulators")) as running:
        yield running


@pytest.fixture
def sample_stack(servers: Emulators, tmp_path: Path) -> Iterator[NewStack]:
    """Makes stacks in which the sample events' world has been."""
    made: list[DeployedStack] = []
    names = count(1)

    def new() -> DeployedStack:
        number = next(names)
        stack = sample_world(_new_name(), servers, tmp_path / str(number))
        made.append(stack)
        return stack

    yield new
    for stack in made:
        stack.close()


@pytest.fixture
def stack(servers: Emulators, tmp_path: Path) -> Iterator[DeployedStack]:
    """A stack as it is when it has just been deployed, with the workflows that it is deployed with."""
    made = DeployedStack(_new_name(), servers, tmp_path)
    yield made
    made.close()


def _new_name() -> str:
    return f"s{uuid4().hex[:10]}"
