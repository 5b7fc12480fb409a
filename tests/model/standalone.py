"""Clients of standalone tasks: in some worlds, a few are started beside everything else, some under keys, some cancelled."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from flowstrand.engine.events import RetryPolicy
from flowstrand.engine.replay.commands import TaskTerms
from flowstrand.errors import Conflict
from flowstrand.service import standalone
from flowstrand.service.container import Services
from flowstrand.service.standalone import TaskRequest
from tests.model.steps import TASK_KINDS
from tests.model.violation import Violation
from tests.model.workforce import ORG, QUEUE

if TYPE_CHECKING:
    from tests.model.world import World

_SHARE = 0.4
"""Of worlds that have any. What is drawn for them comes from a sequence of its own, so that the others stay as they are."""


class StandaloneTasks:
    """Every standalone task of a world.

    Attributes:
        starts, cancels: how many will still be started, and how often one will be cancelled.
        started: ids that a client was told of.
        cancelled: the sequence that each was told.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(f"standalone {seed}")
        self.starts = self._random.randint(1, 4) if self._random.random() < _SHARE else 0
        self.cancels = self._random.choice((0, 1, 2)) if self.starts else 0
        self.started: list[str] = []
        self.cancelled: dict[str, int] = {}

    def choices(self) -> list[Callable[[], None]]:
        """What its clients could do now."""
        choices: list[Callable[[], None]] = [self.start] if self.starts else []
        if self.cancels and self.started and self._random.random() < 0.1:
            choices.append(self.cancel)
        return choices

    def start(self) -> None:
        """Start one, perhaps under a key, until there is an answer."""
        self.starts -= 1
        random = self._random
        key = random.choice((None, "k"))
        # Under one key, always the same is asked for.
        kind = "flaky1" if key else random.choice(TASK_KINDS)
        policy = RetryPolicy(max_retries=2 if key else random.randint(0, 3), initial_ms=random.choice((0, 1_000)))
        request = TaskRequest(
            kind=kind, input=None if key else "x" * 50, queue=QUEUE, retry=policy, terms=self._terms()
        )

        def begin(services: Services) -> str:
            if key is None:
                return standalone.start(services, ORG, request).key.execution_id
            return standalone.start_once(services, ORG, request, key, ttl_ms=30_000).tip.key.execution_id

        def again() -> None:
            self.starts += 1

        self._world.spawn("start task", begin, self.started.append, again)

    def cancel(self) -> None:
        """Cancel one that may have ended."""
        self.cancels -= 1
        task = self._random.choice(self.started)

        def end(services: Services) -> int | None:
            try:
                return standalone.cancel(services, ORG, task)
            except Conflict:
                return None

        def again() -> None:
            self.cancels += 1

        def note(sequence: int | None) -> None:
            if sequence is None:
                return
            if self.cancelled.setdefault(task, sequence) != sequence:
                raise Violation(f"a repeated cancel of {task} got {sequence} after {self.cancelled[task]}")

        self._world.spawn(f"cancel {task}", end, note, again)

    def _terms(self) -> TaskTerms:
        draw = self._random.random()
        return TaskTerms(
            timeout_ms=90_000 if draw < 0.2 else None,
            start_to_close_ms=20_000 if 0.2 <= draw < 0.4 else None,
            heartbeat_timeout_ms=5_000 if 0.4 <= draw < 0.6 else None,
        )
