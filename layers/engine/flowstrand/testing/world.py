"""`World`: the engine's use cases on a database, queues and timers of their own, in memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping

from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.engine.events import Event
from flowstrand.engine.ids import ExecutionId, OrgId, is_standalone_task
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.payloads.sqlite import SqlitePayloads
from flowstrand.service import payloads, polling, tasks, wakes
from flowstrand.service.container import Programs, Services
from flowstrand.service.settings import Settings
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.warm import WarmCache
from flowstrand.testing.clock import VirtualClock
from flowstrand.testing.faults import EngineFaults, ProcessDied
from flowstrand.testing.log import WatchedLog
from flowstrand.testing.queues import KnownTaskQueues, UnreliableControlQueue
from flowstrand.timers.in_process import InProcessTimers

ORG = OrgId("test")
WORKER = "test-worker"
_WARM_EXECUTIONS = 256
_BATCH = 10


class World:
    """One org on one set of stores.

    Attributes:
        services: what use cases run on.
        faults: what is to go wrong in it.
    """

    def __init__(
        self,
        programs: Programs,
        clock: VirtualClock,
        *,
        is_warm: bool,
        seed: int,
        claimed: Callable[[tasks.ClaimedTask], None],
    ) -> None:
        """`claimed` is told of every attempt that begins; without `is_warm`, every turn replays from the first event."""
        self.faults = EngineFaults()
        self._claimed = claimed
        self._database = SqliteDatabase.in_memory()
        settings = Settings(warm_executions=_WARM_EXECUTIONS if is_warm else 0)
        self._log = WatchedLog(SqliteLog(self._database), self.faults)
        self._control = UnreliableControlQueue(clock, settings.wake_visibility_ms, self.faults)
        self._tasks = KnownTaskQueues(clock)
        self.services = Services(
            log=self._log,
            payloads=SqlitePayloads(self._database),
            directory=SqliteDirectory(self._database),
            control=self._control,
            tasks=self._tasks,
            timers=InProcessTimers(clock, self._control),
            clock=clock,
            # Not the environment's own sequence, from which it takes ids that it chooses itself.
            random_bytes=random.Random(f"world {seed}").randbytes,
            programs=programs,
            tokens=LeaseTokens("0" * 32),
            changes=_NobodyWaits(),
            warm=WarmCache(settings.warm_executions),
            settings=settings,
        )

    def close(self) -> None:
        """Forget everything."""
        self.services.warm.clear()
        self._database.close()

    def rest(self, has_taken_too_long: Callable[[], bool]) -> None:
        """Deliver what is due and claim what can be claimed, until there is neither.

        Raises:
            TimeoutError: it does not come to rest.
        """
        while self._deliver() or self._claim():
            if has_taken_too_long():
                raise TimeoutError("the engine does not come to rest: does a workflow loop, and no time passes?")

    def next_ms(self) -> int | None:
        """When something is due next; None where nothing ever is."""
        moments = [self._control.next_at_ms(), *(self._tasks.next_at_ms(ORG, name) for name in self._tasks.names)]
        return min((moment for moment in moments if moment is not None), default=None)

    def executions(self) -> list[ExecutionId]:
        """Every execution there ever was, children included, in the order of their creation."""
        return [id for id in self.logs() if not is_standalone_task(id)]

    def logs(self) -> list[ExecutionId]:
        """Every log there ever was, those of standalone tasks included, in the order of their creation."""
        return [key.execution_id for key in self._log.keys]

    def events(self, execution: ExecutionId, *, after: int = 0) -> Iterator[Event]:
        """The events beyond `after`, payloads inline."""
        for commit in self._log.read(LogKey(ORG, execution), after=after):
            for event in unpack_events(commit):
                if event.sequence > after:
                    yield payloads.inline(self.services, ORG, event)

    def _deliver(self) -> bool:
        received = self._control.receive(_BATCH, 0)
        for one in received:
            try:
                wakes.handle(self.services, one.message)
            except ProcessDied:  # what was in memory is gone, and the message comes again
                self.services.warm.clear()
            else:
                self._control.acknowledge(one)
        return bool(received)

    def _claim(self) -> bool:
        claimed = [claim for name in list(self._tasks.names) for claim in self._claim_from(name)]
        for claim in claimed:
            self._claimed(claim)
        return bool(claimed)

    def _claim_from(self, queue: str) -> list[tasks.ClaimedTask]:
        polled = polling.poll(
            self.services, ORG, queue, worker_id=WORKER, kinds=_EVERY_KIND, limit=_BATCH, wait_s=0
        )
        return list(polled.tasks)


class _EveryKind(Collection[str]):
    """A worker for whatever is asked for: what nobody can run is told to whoever wrote the test."""

    def __contains__(self, kind: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_EVERY_KIND = _EveryKind()


class _NobodyWaits:
    """`Changes` where nothing streams."""

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        """See `Changes.changed`."""

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:  # noqa: ARG002
        """See `Changes.any_changed`."""
        return frozenset()
