"""A world in one process: virtual time, stores and queues in memory, and the real use cases as jobs that interleave at every port call.

Processes crash between any two instructions, which is before or after any operation of a port; stores fail, before or
after they have written; messages come twice, late, in any order, and again when they are not acknowledged. All of it is
drawn from one seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

from flowstrand.engine.events import EventType, PromiseCreated
from flowstrand.engine.evolve import fold
from flowstrand.engine.ids import ExecutionId, is_standalone_task
from flowstrand.errors import StoreUnavailable, Unavailable
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.rows import RowLog
from flowstrand.queues.messages import ControlMessage, Due
from flowstrand.service import executions, operations, safety, sweep, wakes
from flowstrand.service.append import Contended
from flowstrand.service.container import Services
from flowstrand.service.tips import TipCache
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.warm import WarmCache
from tests.model.clients import Clients
from tests.model.dice import Climate
from tests.model.functions import FunctionRunner
from tests.model.programs import StepsPrograms
from tests.model.scheduler import Crash, Job, Scheduler
from tests.model.standalone import StandaloneTasks
from tests.model.steps import Author
from tests.model.violation import Violation
from tests.model.workforce import ORG, QUEUE, Workforce, nothing
from tests.support.memory_queues import Envelope, Mail, MemoryControl, MemoryTasks, MemoryTimers
from tests.support.memory_stores import Disk, MemoryDirectory, MemoryPayloads, MemoryRows

T = TypeVar("T")

START_MS = 1_795_435_200_000
MAX_STEPS = 40_000
_SECRET = "a secret of at least thirty-two bytes"


class World:
    """One seed's world.

    Attributes:
        started: executions that a client was told of.
        workers: whoever does the tasks.
        clients: whoever cancels executions and settles promises.
        alone: whoever has standalone tasks done.
        trace: what happened, for comparing two runs of one seed.
    """

    def __init__(self, seed: int, climate: Climate | None = None) -> None:
        self.random = Random(seed)
        self.climate = climate or Climate.drawn(self.random)
        author = Author(self.random, size=6, branches=self.random.random() < 0.4)
        self.has_branches = author._branches
        self.kind = author.write()
        self.book = author.book
        self.now = START_MS
        self.disk = Disk()
        self.mail = Mail()
        self.scheduler = Scheduler()
        self.jobs: list[Job] = []
        self.commits_to_project: list[Envelope[Commit]] = []
        self.started: list[str] = []
        self.trace: list[str] = []
        self.leaks: list[BaseException] = []
        self._crashes = self.climate.crashes
        self._failures = self.climate.failures
        self._forgets = bool(self.climate.forgets)
        self._starts = 1 + (self.random.random() < 0.2)
        self.disk.watch = self._project
        self.functions = FunctionRunner(self)
        self.workers = Workforce(self)
        self.clients = Clients(self, seed)
        self.alone = StandaloneTasks(self, seed)
        self.programs = StepsPrograms(self.book, self.leaks.append)
        self.processes = [self._boot() for _ in range(self.climate.processes)]

    # --- the clock, and what every process is made of ------------------------------------------------

    def now_ms(self) -> int:
        return self.now

    def sleep_ms(self, duration_ms: float) -> None:
        """Sleep in a job; outside one, time passes at once."""
        job = self.scheduler.current
        if job is None:
            self.now += max(1, round(duration_ms))
            return
        if job.is_dead:
            raise Crash
        job.wake_at_ms = self.now + max(1, round(duration_ms))
        self.scheduler.pause()

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        """Nobody reads here."""

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:
        """Nobody reads here either."""
        return frozenset()

    def _boot(self) -> Services:
        control = MemoryControl(self.mail, self, self.call)
        return Services(
            log=RowLog(MemoryRows(self.disk, self.call)),
            payloads=MemoryPayloads(self.disk, self.call),
            directory=MemoryDirectory(self.disk, self.call),
            control=control,
            tasks=MemoryTasks(self.mail, self, self.call),
            timers=MemoryTimers(self.mail, self.call),
            clock=self,
            random_bytes=self.random.randbytes,
            programs=self.programs,
            tokens=LeaseTokens(_SECRET),
            changes=self,
            warm=WarmCache(self.climate.warm),
            settings=self.climate.settings,
        )

    # --- faults --------------------------------------------------------------------------------------

    def call(self, name: str, operation: Callable[[], T]) -> T:
        """One operation of a port, in a job: another job may come first, the process may end, the store may fail."""
        job = self.scheduler.current
        if job is None:
            return operation()
        if job.is_dead:
            raise Crash
        if self.climate.switch and self.random.random() < self.climate.switch:
            self.scheduler.pause()
        self._fault(job, f"{name} not done")
        result = operation()
        self._fault(job, f"{name} done")
        return result

    def _fault(self, job: Job, where: str) -> None:
        if not self._crashes and not self._failures:
            return
        draw = self.random.random()
        if self._crashes and draw < self.climate.crash / 2:
            self._crashes -= 1
            self.trace.append(f"crash of {job.process} in {job.name}: {where}")
            self._kill(job.process)
            raise Crash
        if self._failures and draw > 1 - self.climate.unavailable / 2:
            self._failures -= 1
            self.trace.append(f"failure in {job.name}: {where}")
            raise StoreUnavailable(where)

    def _kill(self, process: int) -> None:
        for job in self.jobs:
            if job.process == process:
                job.is_dead = True
        self.processes[process].warm.clear()
        successor = replace(self.processes[process], warm=WarmCache(self.climate.warm), tips=TipCache())
        self.processes[process] = successor

    def _project(self, commit: Commit) -> None:
        self.trace.append(f"{commit.key} {commit.sequence} {commit.count} {commit.written_at_ms}")
        self.commits_to_project.append(Envelope(commit, self.now))
        created = [event.data for event in unpack_events(commit) if isinstance(event.data, PromiseCreated)]
        self.clients.promises += [data.promise_id for data in created]

    def executions(self) -> list[str]:
        """The ids of all executions that have begun."""
        return [key.execution_id for key in self.disk.commits if not is_standalone_task(key.execution_id)]

    def failed(self) -> list[str]:
        """The ids of all executions that have failed."""
        ends = (
            (execution, self.disk.commits[LogKey(ORG, ExecutionId(execution))][-1])
            for execution in self.executions()
        )
        return [id for id, commit in ends if unpack_events(commit)[-1].type is EventType.WORKFLOW_FAILED]

    # --- driving -------------------------------------------------------------------------------------

    def drive(self) -> None:
        """Let everything happen until nothing is left to happen.

        Raises:
            Violation: it never comes to rest.
        """
        with self._functions_installed():
            for _ in range(MAX_STEPS):
                choices = self._choices()
                hurry = choices and self.random.random() < self.climate.hurry
                if (not choices or hurry) and not self._pass_time():
                    if not choices and not self._speak() and not self.clients.retry():
                        return
                if choices and not hurry:
                    self.random.choice(choices)()
        raise Violation("never stuck: the world does not come to rest")

    def _speak(self) -> bool:
        """Send a signal to everybody who waits for one; says whether somebody does."""
        listening = [key.execution_id for key, commits in self.disk.commits.items() if _is_listening(commits)]
        for execution in listening:
            self.clients.say_to(execution)
        return bool(listening)

    def sweep(self) -> None:
        """Wake every open execution, as happens periodically and at start-up; then see everything through."""
        self.sweep_job()
        self.drive()

    def end(self) -> None:
        """Every process ends."""
        for services in self.processes:
            services.warm.clear()

    def sweep_job(self) -> None:
        """Sweep, and again if that fails half-way."""
        self.spawn("sweep", self.on_sweep, nothing, again=self.sweep_job)

    @contextmanager
    def _functions_installed(self) -> Iterator[None]:
        """`ctx.run` functions run under the seed as well, instead of on real threads."""
        with (
            patch.object(operations, "_executor", lambda: self.functions),
            patch.object(operations, "wait", self.functions.wait),
        ):
            yield

    def _choices(self) -> list[Callable[[], None]]:
        choices: list[Callable[[], None]] = [
            (lambda job=job: self._step(job))  # type: ignore[misc]  # a default binds the loop's variable
            for job in self.jobs
            if job.is_dead or job.wake_at_ms <= self.now
        ]
        if any(job.is_dead for job in self.jobs) or len(self.jobs) >= self.climate.jobs:
            return choices
        if self._starts:
            choices.append(self._start)
        if any(envelope.visible_at_ms <= self.now for envelope in self.mail.control):
            choices += [self._deliver, self._deliver]
        if any(envelope.visible_at_ms <= self.now for envelope in self.commits_to_project):
            choices.append(self._deliver_commit)
        if any(envelope.visible_at_ms <= self.now for envelope in self.mail.tasks):
            choices.append(self.workers.poll)
        choices += self.alone.choices()
        if self.clients.cancels and self.executions() and self.random.random() < 0.05:
            choices.append(self.clients.cancel)
        if self.clients.words and self.executions() and self.random.random() < 0.05:
            choices.append(self.clients.say)
        if self.clients.wants_to_retry():
            self.clients.retry()
        if self.clients.settles and self.clients.promises and self.random.random() < 0.1:
            choices.append(self.clients.settle)
        if any(held.at_ms <= self.now for held in self.workers.held):
            choices.append(self.workers.report)
        if self._forgets and self.trace and self.random.random() < self._danger():
            choices = [self._forget]
        return choices

    def _danger(self) -> float:
        """How likely everything is to be lost now: most where a message is under way that others rely upon."""
        dues = [(e.message, e.visible_at_ms) for e in self.mail.control if isinstance(e.message, Due)]
        is_rearmed = any(due.rearmed_for_ms == at_ms for due, at_ms in dues)
        return 0.1 if is_rearmed else self.climate.forgets

    def _step(self, job: Job) -> None:
        self.scheduler.step(job)
        if not job.is_over:
            return
        self.jobs.remove(job)
        expected = (Crash, StoreUnavailable, Contended, Unavailable)
        if job.failure is not None and not isinstance(job.failure, expected):
            raise Violation(f"{job.name} failed: {job.failure!r}") from job.failure

    def _pass_time(self) -> bool:
        moments = [
            *self.mail.moments(),
            *(envelope.visible_at_ms for envelope in self.commits_to_project),
            *(held.at_ms for held in self.workers.held),
            *(job.wake_at_ms for job in self.jobs),
        ]
        future = [moment for moment in moments if moment > self.now]
        if not future:
            return False
        self.now = min(future)
        return True

    # --- what the projector does ---------------------------------------------------------------------

    def on_commit(self, services: Services, commit: Commit) -> None:
        """The table's stream tells of a commit."""
        safety.on_commit(services, commit)

    def on_sweep(self, services: Services) -> None:
        """It is time for a sweep."""
        sweep.run(services)

    # --- what happens --------------------------------------------------------------------------------

    def spawn(
        self,
        name: str,
        use_case: Callable[[Services], T],
        done: Callable[[T], None],
        again: Callable[[], None] | None = None,
    ) -> Job:
        """Begin a job in some process. `again` is what whoever asked does when it gets no answer."""
        process = self.random.randrange(len(self.processes))

        def function() -> Any:
            try:
                return use_case(self.processes[process])
            except (Crash, StoreUnavailable, Contended, Unavailable):
                if again:
                    again()
                raise

        job = Job(name, process, function, done)
        self.jobs.append(job)
        return job

    def _start(self) -> None:
        self._starts -= 1

        def again() -> None:
            self._starts += 1

        timeout_ms = self.random.choice((*(None,) * 12, 2_000, 90_000, 4_000_000))
        request = executions.StartRequest(kind=self.kind, input=None, queue=QUEUE, timeout_ms=timeout_ms)
        self.spawn(
            "start",
            lambda services: executions.start(services, ORG, request),
            lambda snapshot: self.started.append(snapshot.workflow_execution_id),
            again,
        )

    def _deliver(self) -> None:
        visible = [envelope for envelope in self.mail.control if envelope.visible_at_ms <= self.now]
        envelope = self.random.choice(visible)
        envelope.visible_at_ms = self.now + self.climate.settings.wake_visibility_ms
        if self.random.random() < self.climate.repeat / 3:
            self.mail.control.append(Envelope(envelope.message, self.now))
        self.delivered(envelope)
        message = envelope.message

        def acknowledge(_: None) -> None:
            if envelope in self.mail.control and self.random.random() >= self.climate.repeat:
                self.mail.control.remove(envelope)

        self.spawn(f"{message}", lambda services: wakes.handle(services, message), acknowledge)

    def delivered(self, envelope: Envelope[ControlMessage]) -> None:
        """A message has been handed to a handler; only when that has returned is it acknowledged."""

    def _deliver_commit(self) -> None:
        visible = [envelope for envelope in self.commits_to_project if envelope.visible_at_ms <= self.now]
        envelope = self.random.choice(visible)
        envelope.visible_at_ms = self.now + 1_000
        commit = envelope.message
        self.spawn(
            "project",
            lambda services: self.on_commit(services, commit),
            lambda _: self._projected(envelope),
        )

    def _projected(self, envelope: Envelope[Commit]) -> None:
        if envelope in self.commits_to_project:  # else it was delivered a second time meanwhile
            self.commits_to_project.remove(envelope)

    def _forget(self) -> None:
        """The one process that holds queues and timers in memory ends; its successor sweeps when it begins."""
        self._forgets = False
        self.trace.append("everything in memory is lost")
        for process in range(len(self.processes)):
            self._kill(process)
        self.mail.clear()
        self.commits_to_project.clear()
        self.workers.held.clear()
        self.sweep_job()


def _is_listening(commits: list[Commit]) -> bool:
    state = fold(None, [event for commit in commits for event in unpack_events(commit)])
    waits = () if state.closed or state.is_runnable else state.waits
    return any("word" in (group.signals or ()) for group in waits)
