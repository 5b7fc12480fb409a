"""Which dead letters there are."""

from __future__ import annotations

from enum import StrEnum


class DeadLetters(StrEnum):
    """Where what could not be handled lies."""

    CONTROL = "control"
    """Wakes, and what has come due."""
    TASKS = "tasks"
    """Attempts of tasks that the stack runs itself."""
    PROJECTOR = "projector"
    """Which records of the tables' streams the projector gave up."""
