"""Workflow code as authors write it, on the real driver, with a log kept by hand."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from flowstrand import WorkflowContext, workflow
from flowstrand.engine.replay.driver import Driver
from tests.unit.engine.played import Played

AuthorCode = Callable[[WorkflowContext], Coroutine[Any, Any, Any]]


def authored(code: AuthorCode) -> Played:
    """An execution of `code` that has begun."""
    definition = workflow(name="authored")(code)

    def begin(driver: Driver) -> Coroutine[Any, None, Any]:
        return definition.begin(driver, None)

    return Played(begin)
