"""Time, chance and logging that replay alike: the part of `WorkflowContext` that replaces what differs between runs."""

from __future__ import annotations

import hashlib
import logging
import random
import uuid
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from flowstrand.sdk.context_base import ContextBase

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Determinism(ContextBase):
    """`current_time`, `random`, `random_uuid`, `logger` and the execution's own facts."""

    _uuids = 0

    @property
    def workflow_execution_id(self) -> str:
        """This execution's id."""
        return self._driver_of_execution.execution_id

    @property
    def kind(self) -> str:
        """This execution's kind."""
        return self._driver_of_execution.kind

    def current_time(self) -> datetime:
        """When the event that the code is reacting to happened, in UTC: the same on every replay."""
        return _EPOCH + timedelta(milliseconds=self._driver.now_ms)

    @cached_property
    def random(self) -> random.Random:
        """A generator seeded by the execution's id: the n-th draw is the same on every replay. Not for secrets."""
        return random.Random(self._seed("random"))

    def random_uuid(self) -> uuid.UUID:
        """A version 4 UUID made from the execution's id and how many were made before it. Not for secrets."""
        self._uuids += 1
        return uuid.UUID(bytes=self._seed(f"uuid/{self._uuids}")[:16], version=4)

    @cached_property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger that is silent while the code only repeats what it did in an earlier turn."""
        driver = self._driver_of_execution
        ids: dict[str, object] = {"workflow_execution_id": driver.execution_id, "kind": driver.kind}
        return _ReplaySilentLogger(logging.getLogger(f"flowstrand.workflow.{driver.kind}"), ids, driver)

    def _seed(self, purpose: str) -> bytes:
        return hashlib.sha256(f"{self._driver.seed}/{purpose}".encode()).digest()


class _ReplaySilentLogger(logging.LoggerAdapter[logging.Logger]):
    def __init__(self, logger: logging.Logger, ids: dict[str, object], driver: Driver) -> None:
        super().__init__(logger, ids)
        self._driver = driver

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is logging's
        if self._driver.is_replaying or self._driver.is_dead:
            return False
        return super().isEnabledFor(level)
