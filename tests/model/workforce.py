"""Workers, as the world has them: some slow, some silent, most of them reporting more often than they need to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowstrand.engine.events import ErrorInfo
from flowstrand.engine.ids import OrgId
from flowstrand.errors import Conflict
from flowstrand.service import polling, tasks
from flowstrand.service.container import Services
from flowstrand.service.polling import Polled
from flowstrand.service.tasks import ClaimedTask
from tests.model.steps import TASK_KINDS
from tests.model.violation import Violation

if TYPE_CHECKING:
    from tests.model.world import World

ORG = OrgId("acme")
QUEUE = "default"


@dataclass(slots=True)
class Held:
    """An attempt in a worker's hands, how often it will heartbeat yet, and when it does next or is reported."""

    task: ClaimedTask
    at_ms: int
    beats: int


class Workforce:
    """Every worker of a world.

    Attributes:
        held: what they are working on.
        answers: the sequence that each report got: a repetition must get the same.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.held: list[Held] = []
        self.answers: dict[tuple[str, int, str], int] = {}

    def poll(self) -> None:
        """Claim some attempts, and hold them for a while or for too long."""
        limit = self._world.random.randint(1, 4)

        def take(polled: Polled) -> None:
            for task in polled.tasks:
                delay_ms = self._world.random.choice((0, 0, 300, 30_000, 70_000))
                beats = self._world.random.choice((*(0,) * 12, 1, 4))
                self.held.append(Held(task, self._world.now + delay_ms, beats))

        self._world.spawn(
            "poll",
            lambda services: polling.poll(
                services, ORG, QUEUE, worker_id="worker", kinds=TASK_KINDS, limit=limit, wait_s=0
            ),
            take,
        )

    def report(self) -> None:
        """Report an attempt, once or more often; or only heartbeat; or fall silent."""
        held = self._world.random.choice([held for held in self.held if held.at_ms <= self._world.now])
        task = held.task
        if held.beats:
            self._heartbeat(held)
            return
        if task.kind == "silent1" and task.attempt == 1:
            self.held.remove(held)
            return
        if self._world.random.random() >= self._world.climate.repeat:
            self.held.remove(held)
        fails = task.kind in {"doomed", "fatal"} or (
            task.kind.startswith("flaky") and task.attempt <= int(task.kind[5:])
        )

        def again() -> None:
            if held not in self.held:
                self.held.append(held)
            held.at_ms = self._world.now + 100

        self._world.spawn(
            f"report {task.task_execution_id}/{task.attempt}",
            lambda services: self._send_report(services, task, fails=fails),
            lambda sequence: self._note_answer(task, sequence, fails=fails),
            again,
        )

    def _send_report(self, services: Services, task: ClaimedTask, *, fails: bool) -> int | None:
        try:
            if not fails:
                output = f"{task.kind} done" if task.kind != "big" else task.input
                return tasks.complete(
                    services, ORG, task.task_execution_id, lease_token=task.lease_token, output=output
                )
            error = ErrorInfo(type="Refused", message=task.kind)
            return tasks.fail(
                services,
                ORG,
                task.task_execution_id,
                lease_token=task.lease_token,
                error=error,
                retryable=task.kind != "fatal",
            )
        except Conflict as conflict:
            if conflict.code not in {"STALE_ATTEMPT", "EXECUTION_CLOSED"}:
                raise
            return None

    def _note_answer(self, task: ClaimedTask, sequence: int | None, *, fails: bool) -> None:
        if sequence is None:
            return
        name = "TASK_FAILED" if fails else "TASK_COMPLETED"
        known = self.answers.setdefault((task.task_execution_id, task.attempt, name), sequence)
        if known != sequence:
            raise Violation(f"a repeated report got {sequence} after {known}")

    def _heartbeat(self, held: Held) -> None:
        held.at_ms = self._world.now + 20_000
        held.beats -= 1
        task = held.task

        def beat(services: Services) -> None:
            try:
                tasks.heartbeat(services, ORG, task.task_execution_id, lease_token=task.lease_token)
            except Conflict:
                return

        self._world.spawn("heartbeat", beat, nothing)


def nothing(_: object) -> None:
    """No answer is waited for."""
