"""The engine in this process, as the local server composes it but for its threads: every message is handled by the caller."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.engine.events import WorkflowStatus
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.jsonvalue import JsonValue
from flowstrand.local.changes import LocalChanges
from flowstrand.local.notifying_log import NotifyingLog
from flowstrand.log.port import Commit
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.payloads.sqlite import SqlitePayloads
from flowstrand.queues.in_process import InProcessControlQueue, InProcessTaskQueue
from flowstrand.sdk.app import App
from flowstrand.service import executions, polling, tasks, wakes
from flowstrand.service.clock import SystemClock
from flowstrand.service.container import Services
from flowstrand.service.projection import project
from flowstrand.service.settings import Settings
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.warm import WarmCache
from flowstrand.timers.in_process import InProcessTimers

ORG = OrgId("bench")
_KINDS = ("work",)


class Engine:
    """One org, one store, one worker.

    Attributes:
        services: what use cases run on.
    """

    def __init__(self, database: SqliteDatabase, app: App, *, projected_together: int = 0) -> None:
        """`projected_together` is how many commits the projector gets at once; 0 for no projector."""
        self._together = projected_together
        self._grown: list[Commit] = []
        settings = Settings()
        clock = SystemClock()
        self._control = InProcessControlQueue(clock, settings.wake_visibility_ms)
        self.services = Services(
            log=NotifyingLog(SqliteLog(database), [self.note] if projected_together else []),
            payloads=SqlitePayloads(database),
            directory=SqliteDirectory(database),
            control=self._control,
            tasks=InProcessTaskQueue(clock),
            timers=InProcessTimers(clock, self._control),
            clock=clock,
            random_bytes=secrets.token_bytes,
            programs=app,
            tokens=LeaseTokens(secrets.token_hex(32)),
            changes=LocalChanges(),
            warm=WarmCache(settings.warm_executions),
            settings=settings,
        )

    def run(self, kind: str, input: JsonValue = None) -> JsonValue:
        """Start an execution and do all there is to do, until it has completed; returns its output."""
        [id] = self.run_all(kind, input, 1)
        return executions.get(self.services, ORG, id).output

    def run_all(self, kind: str, input: JsonValue, count: int) -> list[ExecutionId]:
        """The same with `count` executions at once; returns their ids."""
        request = executions.StartRequest(kind=kind, input=input)
        started = [executions.start(self.services, ORG, request).workflow_execution_id for _ in range(count)]
        while self._deliver() or self._work():
            pass
        self._project()
        for id in started:
            ended = executions.get(self.services, ORG, id)
            if ended.status is not WorkflowStatus.COMPLETED:
                raise RuntimeError(f"{kind} is {ended.status}: {ended.error}")
        return [ExecutionId(id) for id in started]

    def note(self, commit: Commit) -> None:
        """A commit has been written: it is projected, now or together with others."""
        self._grown.append(commit)
        if len(self._grown) == self._together:
            self._project()

    def _project(self) -> None:
        """What the projector does with the commits that it gets next."""
        commits, self._grown = self._grown, []
        if project(self.services, {commit.key: commit.last_sequence for commit in commits}):
            raise RuntimeError("a log was not projected")

    def _deliver(self) -> bool:
        received = self._control.receive(10, 0)
        for one in received:
            wakes.handle(self.services, one.message)
            self._control.acknowledge(one)
        return bool(received)

    def _work(self) -> bool:
        """Claim up to ten attempts and complete each with its input."""
        polled = polling.poll(self.services, ORG, "default", worker_id="w", kinds=_KINDS, limit=10, wait_s=0)
        claimed: list[Any] = list(polled.tasks)
        for task in claimed:
            tasks.complete(
                self.services, ORG, task.task_execution_id, lease_token=task.lease_token, output=task.input
            )
        return bool(claimed)


@contextmanager
def engine(app: App, *, on_disk: bool, projected_together: int = 0) -> Iterator[Engine]:
    """An engine on a new database: a file that survives power cuts, or memory."""
    database = SqliteDatabase.temporary() if on_disk else SqliteDatabase.in_memory()
    try:
        yield Engine(database, app, projected_together=projected_together)
    finally:
        database.close()
