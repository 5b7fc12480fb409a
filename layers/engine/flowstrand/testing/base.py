"""What the parts of `Environment` share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from flowstrand.engine.ids import ExecutionId
from flowstrand.testing.definitions import Definitions
from flowstrand.testing.handle import ExecutionHandle
from flowstrand.testing.stage import Stage


class Base(ABC):
    """The code under test, and where it runs."""

    _definitions: Definitions

    @property
    @abstractmethod
    def _stage(self) -> Stage:
        """Where everything happens. Raises `RuntimeError` outside of `async with`."""

    @abstractmethod
    def _handle(self, execution: ExecutionId, workflow: object) -> ExecutionHandle[Any]:
        """A handle on an execution that exists; `workflow`, where it is a definition, types its output."""

    @abstractmethod
    def _new_id(self, asked: str | None) -> ExecutionId:
        """An execution's id: the one asked for, or a new one. Raises `InvalidInput`."""
