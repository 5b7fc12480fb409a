"""Real concurrency, one step at a time: jobs are threads of which exactly one runs, until it pauses at a port call.

Who runs next is the world's choice, so a seed decides every interleaving and the same seed makes the same one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar


class Crash(BaseException):
    """The process of this job is gone: nothing it does from here on reaches a port."""


class Job:
    """One handler at work.

    Attributes:
        process: the index of the process it runs in.
        wake_at_ms: it sleeps until then.
        is_dead: its process has crashed.
        failure: what it raised, once it is over.
    """

    def __init__(self, name: str, process: int, function: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self.name = name
        self.process = process
        self.wake_at_ms = 0
        self.is_dead = False
        self.is_over = False
        self.failure: BaseException | None = None
        self.done = done
        self._function = function

    def run(self) -> None:
        """Carry it out to its end."""
        try:
            self.done(self._function())
        except BaseException as failure:  # a crash must not end the thread, which other jobs use again
            self.failure = failure
        self.is_over = True


class Scheduler:
    """Holds the baton."""

    def __init__(self) -> None:
        self.current: Job | None = None
        self._back = _closed_gate()
        self._runners: dict[int, _Runner] = {}

    def step(self, job: Job) -> None:
        """Let `job` run until it pauses or ends."""
        runner = self._runners.get(id(job))
        if runner is None:
            runner = self._runners[id(job)] = _Runner.idle()
            runner.job = job
            runner.back = self._back
        self.current = job
        runner.go.release()
        self._back.acquire()
        self.current = None
        if job.is_over:
            del self._runners[id(job)]
            _Runner.pool.append(runner)

    def pause(self) -> None:
        """Give the baton back; called by the job that has it.

        Raises:
            Crash: its process has crashed meanwhile.
        """
        job = self.current
        assert job is not None
        runner = self._runners[id(job)]
        self._back.release()
        runner.go.acquire()
        if job.is_dead:
            raise Crash


def _closed_gate() -> threading.Lock:
    """A lock that is held: acquiring it waits until somebody releases it."""
    gate = threading.Lock()
    gate.acquire()
    return gate


class _Runner(threading.Thread):
    """A thread that carries out one job after another, whenever it is given the baton."""

    pool: ClassVar[list[_Runner]] = []

    def __init__(self) -> None:
        super().__init__(daemon=True, name="model")
        self.go = _closed_gate()
        self.job: Job | None = None
        self.back = _closed_gate()
        self.start()

    @classmethod
    def idle(cls) -> _Runner:
        """One that has nothing to do."""
        return cls.pool.pop() if cls.pool else cls()

    def run(self) -> None:
        while True:
            self.go.acquire()
            assert self.job is not None
            self.job.run()
            self.back.release()
