"""Those who wait for the same thing: looked for once, each for as long as it likes, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable

import pytest

from flowstrand.service.lookout import Lookouts
from tests.unit.manual_clock import ManualClock

AGES_MS = 2**60


class Searches:
    """Searches that end when a test says so. `begun` holds those that are under way or have ended."""

    def __init__(self) -> None:
        self.begun: list[asyncio.Future[str | None]] = []
        self.until: list[int] = []
        self.cancelled = 0

    def begin(self) -> Callable[[Callable[[], int]], Awaitable[str | None]]:
        return self._search

    async def _search(self, until_ms: Callable[[], int]) -> str | None:
        self.begun.append(asyncio.get_running_loop().create_future())
        self.until.append(until_ms())
        try:
            return await self.begun[-1]
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.lookouts = Lookouts()
        self.searches = Searches()

    def wait(self, place: str = "here", *, for_ms: int = AGES_MS) -> asyncio.Task[str | None]:
        until_ms = self.clock.now_ms() + for_ms
        return asyncio.create_task(
            self.lookouts.wait(place, self.searches.begin, self.clock, until_ms=until_ms), name=place
        )


@pytest.fixture
def world() -> World:
    return World()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_many_wait_for_is_looked_for_once(world: World) -> None:
    waiting = [world.wait() for _ in range(100)]
    await settled()
    [search] = world.searches.begun
    search.set_result("found")
    assert await asyncio.gather(*waiting) == ["found"] * 100


async def test_other_places_are_searched_apart(world: World) -> None:
    here, there = world.wait("here"), world.wait("there")
    await settled()
    for search, found in zip(world.searches.begun, ("a", "b"), strict=True):
        search.set_result(found)
    assert (await here, await there) == ("a", "b")


async def test_who_comes_after_something_was_found_begins_anew(world: World) -> None:
    first = world.wait()
    await settled()
    world.searches.begun[0].set_result("first")
    assert await first == "first"
    second = world.wait()
    await settled()
    world.searches.begun[1].set_result("second")
    assert await second == "second"


async def test_who_has_waited_long_enough_goes_and_the_others_stay(world: World) -> None:
    patient, hasty = world.wait(for_ms=1_000), world.wait(for_ms=100)
    await settled()
    assert world.searches.until == [world.clock.now_ms() + 100]
    world.clock.advance(100)
    world.searches.begun[0].set_result(None)
    assert await hasty is None
    await settled()
    assert not patient.done()
    assert world.searches.until[1] == world.clock.now_ms() + 900
    world.searches.begun[1].set_result("found")
    assert await patient == "found"


async def test_when_nobody_stays_the_search_is_over(world: World) -> None:
    waiting = [world.wait(for_ms=100) for _ in range(3)]
    await settled()
    world.clock.advance(100)
    world.searches.begun[0].set_result(None)
    assert await asyncio.gather(*waiting) == [None] * 3
    again = world.wait()
    await settled()
    assert len(world.searches.begun) == 2
    again.cancel()


async def test_who_leaves_does_not_end_the_search_for_the_others(world: World) -> None:
    leaving, staying = world.wait(), world.wait()
    await settled()
    leaving.cancel()
    await settled()
    assert leaving.cancelled()
    world.searches.begun[0].set_result("found")
    assert await staying == "found"


async def test_the_last_who_leaves_ends_the_search_and_nobody_joins_it_any_more(world: World) -> None:
    first, last = world.wait(), world.wait()
    await settled()
    first.cancel()
    last.cancel()
    await settled()
    assert world.searches.cancelled == 1
    new = world.wait()
    await settled()
    assert len(world.searches.begun) == 2
    world.searches.begun[1].set_result("found")
    assert await new == "found"


async def test_a_search_that_fails_fails_for_everyone(world: World) -> None:
    waiting = [world.wait() for _ in range(3)]
    await settled()
    world.searches.begun[0].set_exception(LookupError("damaged"))
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["damaged"] * 3
    assert all(isinstance(outcome, LookupError) for outcome in outcomes)


async def test_a_search_that_is_ended_from_outside_ends_the_waiting(world: World) -> None:
    waiting = world.wait()
    await settled()
    [search] = [task for task in asyncio.all_tasks() if "_Lookout" in repr(task.get_coro())]
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 5)


def test_event_loops_do_not_share_a_search_and_leave_nothing_behind() -> None:
    world = World()
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def wait() -> str | None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        waiting, abandoned = world.wait(), world.wait("elsewhere")
        await settled()
        world.searches.begun[-2].set_result("found")
        assert not abandoned.done()
        return await waiting

    for _ in range(3):
        assert asyncio.run(wait()) == "found"
    world.searches.begun.clear()
    gc.collect()
    assert [loop() for loop in loops] == [None] * 3
