"""Patches: which of two versions of the code an execution follows, decided once, by what its log held at that point.

`patched(id)` is false exactly when the log records, beyond where the code stands, something that the code did there without
the patch: a command, an operation or the close of a turn. Otherwise it is true, and a marker says so for every replay. Markers
are matched by name, so that a call that is added or removed shifts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flowstrand.engine.events import (
    Event,
    OperationCompleted,
    OperationFailed,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowSuspended,
)
from flowstrand.engine.replay import matching

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver

PREFIX = "patch:"
"""How the names of markers begin; no other operation's does."""

MARKER = 0
"""The index of every marker: those of `ctx.run` calls count from 1."""


def marker_of(event: Event) -> str | None:
    """The patch whose marker `event` is."""
    data = event.data
    if isinstance(data, OperationCompleted) and data.name.startswith(PREFIX):
        return data.name.removeprefix(PREFIX)
    return None


class Patches:
    """Of one execution.

    Attributes:
        unrecorded: patches that were decided to apply and whose markers the log does not hold.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._decided: dict[str, bool] = {}
        self._markers: set[str] = set()
        self.unrecorded: dict[str, None] = {}
        self._last_position = 0
        self._last_index = 0
        self._last_horizon = 0

    def foresee(self, ahead: Iterable[Event]) -> None:
        """Take note of events that are in the log and are going to be delivered."""
        for event in ahead:
            marker = marker_of(event)
            if marker is not None:
                self._markers.add(marker)
                continue
            match event.data:
                case OperationCompleted(index=index) | OperationFailed(index=index):
                    self._last_index = max(self._last_index, index)
                case (
                    WorkflowSuspended(horizon=horizon)
                    | WorkflowCompleted(horizon=horizon)
                    | WorkflowFailed(horizon=horizon)
                    | WorkflowCancelled(horizon=horizon)
                ):
                    self._last_horizon = max(self._last_horizon, horizon)
                case data if isinstance(data, matching.RecordedCommand):
                    self._last_position = max(self._last_position, matching.position_of(data) or 0)
                case _:
                    pass

    def is_patched(self, patch: str) -> bool:
        """Whether the code is to do what it does since `patch`: the same answer however often it is asked."""
        known = self._decided.get(patch)
        if known is None:
            known = self._decided[patch] = patch in self._markers or not self._was_here_before()
            if known and patch not in self._markers:
                self.unrecorded[patch] = None
        return known

    def record(self, patch: str) -> None:
        """The log holds the marker."""
        self._markers.add(patch)
        self.unrecorded.pop(patch, None)

    def _was_here_before(self) -> bool:
        driver = self._driver
        return (
            self._last_position > driver.last_position
            or self._last_index > driver.last_index
            or self._last_horizon >= driver.delivered_to
        )
