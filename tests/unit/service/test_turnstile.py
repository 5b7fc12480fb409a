"""`Turnstile`: how writers of one log in one process go one behind the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.log.port import LogKey
from flowstrand.service import signals
from flowstrand.service.turnstile import ThreadTurnstile
from tests.unit.service.service_world import ORG, ServiceWorld
from tests.unit.service.test_signals import two_signals

ONE, OTHER = (LogKey(OrgId("acme"), ExecutionId(name)) for name in ("one", "other"))
_PATIENCE_S = 30.0


def held(turnstile: ThreadTurnstile, key: LogKey) -> tuple[Event, Event, Future[None], ThreadPoolExecutor]:
    """A thread that is through: what tells that it is, what lets it go, and the thread."""
    inside, go = Event(), Event()

    def pass_through() -> None:
        with turnstile.alone(key):
            inside.set()
            assert go.wait(_PATIENCE_S)

    pool = ThreadPoolExecutor(1)
    passing = pool.submit(pass_through)
    assert inside.wait(_PATIENCE_S)
    return inside, go, passing, pool


def test_a_writer_waits_for_one_of_the_same_log_and_for_no_other() -> None:
    turnstile = ThreadTurnstile()
    _, go, passing, pool = held(turnstile, ONE)
    with pool, ThreadPoolExecutor(1) as second:
        with turnstile.alone(OTHER):  # at once, or this test does not end
            pass
        arrived = Event()

        def follow() -> bool:
            arrived.set()
            with turnstile.alone(ONE):
                return go.is_set()

        following = second.submit(follow)
        assert arrived.wait(_PATIENCE_S)
        go.set()
        assert following.result(_PATIENCE_S), "it was through while the first was"
        passing.result(_PATIENCE_S)


def test_a_thread_that_is_through_may_go_through_again_and_nothing_is_kept_of_logs_that_nobody_writes() -> None:
    turnstile = ThreadTurnstile()
    with turnstile.alone(ONE), turnstile.alone(ONE):
        assert turnstile.writers() == {ONE: 2}
    assert turnstile.writers() == {}


class _Crowd:
    """A turnstile before which another writer was through."""

    def __init__(self, world: ServiceWorld, execution: str) -> None:
        self._world = world
        self._execution = execution
        self._is_first = True

    @contextmanager
    def alone(self, key: LogKey) -> Iterator[None]:
        if self._is_first:
            self._is_first = False
            signals.signal(self._world.services, ORG, self._execution, "other", None)
        yield


def test_who_has_waited_decides_on_what_the_one_before_has_written_without_a_conflict() -> None:
    world = ServiceWorld()
    execution = world.begin(two_signals)
    world.services = replace(world.services, turnstile=_Crowd(world, execution))
    puts = world.seam.calls.count("log.put")
    signals.signal(world.services, ORG, execution, "mine", None)
    assert world.seam.calls.count("log.put") - puts == 2
    assert world.types(execution).endswith("SIGNAL_RECEIVED SIGNAL_RECEIVED")
