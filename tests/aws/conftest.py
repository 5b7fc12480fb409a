"""Runs where the environment names a stack; without one, nothing here is collected. `scripts/e2e` is what sets it."""

from __future__ import annotations

import os

import pytest

from tests.aws.stack import VARIABLE, Stack

if VARIABLE not in os.environ:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The stack under test, its functions started: no scenario's client gives up waiting for that."""
    stack = Stack.from_environment()
    stack.ask("GET", "/workflow-executions")
    stack.request("POST", "/task-executions/none/heartbeat", {"leaseToken": "none"})
    stack.request("GET", "/workflow-executions/none/events")
    stack.stream("/workflow-executions/none/stream")
    return stack
