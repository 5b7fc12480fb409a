"""The engine in this process, as the local server composes it but for its threads: every message is handled by the caller."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.engine.events import WorkflowStatus
from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonValue
from flowstrand.local.changes import LocalChanges
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.payloads.sqlite import SqlitePayloads
from flowstrand.queues.in_process import InProcessControlQueue, InProcessTaskQueue
from flowstrand.sdk.app import App
from flowstrand.service import executions, tasks, wakes
from flowstrand.service.clock import SystemClock
from flowstrand.service.container import Services
from flowstrand.service.settings import Settings
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.warm import WarmCache
from flowstrand.timers.in_process import InProcessTimers

ORG = OrgId("bench")
_KINDS = ("work",)


class Engine:
    """One org, one store, one worker."""

    def __init__(self, database: SqliteDatabase, app: App) -> None:
        settings = Settings()
        clock = SystemClock()
        self._control = InProcessControlQueue(clock, settings.wake_visibility_ms)
        self._services = Services(
            log=SqliteLog(database),
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
        request = executions.StartRequest(kind=kind, input=input)
        id = executions.start(self._services, ORG, request).workflow_execution_id
        while self._deliver() or self._work():
            pass
        ended = executions.get(self._services, ORG, id)
        if ended.status is not WorkflowStatus.COMPLETED:
            raise RuntimeError(f"{kind} is {ended.status}: {ended.error}")
        return ended.output

    def _deliver(self) -> bool:
        received = self._control.receive(10, 0)
        for one in received:
            wakes.handle(self._services, one.message)
            self._control.acknowledge(one)
        return bool(received)

    def _work(self) -> bool:
        """Claim up to ten attempts and complete each with its input."""
        claimed: list[Any] = list(
            tasks.poll(self._services, ORG, "default", worker_id="w", kinds=_KINDS, limit=10, wait_s=0)
        )
        for task in claimed:
            tasks.complete(
                self._services, ORG, task.task_execution_id, lease_token=task.lease_token, output=task.input
            )
        return bool(claimed)


@contextmanager
def engine(app: App, *, on_disk: bool) -> Iterator[Engine]:
    """An engine on a new database: a file that survives power cuts, or memory."""
    database = SqliteDatabase.temporary() if on_disk else SqliteDatabase.in_memory()
    try:
        yield Engine(database, app)
    finally:
        database.close()
