"""The consolidated stream: live, resumed, refused, and what it costs to follow a tree that is quiet."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from flowstrand.engine.events import EventData, EventType, ParentRef, RetryOf
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import CallerError, Gone, InvalidInput, NotFound, UnprocessableInput
from flowstrand.log.port import LogKey
from flowstrand.streams.consolidated.crowd import are_more_open_than
from flowstrand.streams.consolidated.cursor import Cursor, parse_cursor
from flowstrand.streams.consolidated.source import ConsolidatedRequest, open_consolidated
from flowstrand.streams.consolidated.vector import Place
from flowstrand.streams.response import StreamResponse
from flowstrand.views.stream_frame import StreamFormat
from tests.unit.every_event import KEY, data_of
from tests.unit.reading_world import ReadingWorld
from tests.unit.sse_parser import EventSource, parse

ROOT = KEY.execution_id


def started(id: str, parent: str | None = None, position: int = 1, **more: Any) -> EventData:
    ref = ParentRef(workflow_execution_id=parent, position=position) if parent else None
    return data_of(EventType.WORKFLOW_STARTED, workflow_execution_id=id, parent=ref, **more)


def ended(continued_as: str | None = None) -> EventData:
    return data_of(EventType.WORKFLOW_COMPLETED, continued_as=continued_as, carried_signals=None)


def of_child(type: EventType, id: str, position: int = 1, **more: Any) -> EventData:
    return data_of(type, child_workflow_id=id, position=position, **more)


ASKED, BEGAN, DID = (
    EventType.CHILD_WORKFLOW_INITIATED,
    EventType.CHILD_WORKFLOW_STARTED,
    EventType.CHILD_WORKFLOW_COMPLETED,
)


def key(id: str) -> LogKey:
    return LogKey(KEY.org, ExecutionId(id))


def family(world: ReadingWorld) -> None:
    """A parent and two children, all ended."""
    world.write(started(ROOT), of_child(ASKED, "A", 1), of_child(ASKED, "B", 2))
    for position, child in enumerate(("A", "B"), 1):
        world.now += 10
        world.write(started(child, ROOT, position), EventType.STREAM_TOKEN, key=key(child))
        world.write(of_child(BEGAN, child, position))
    for position, child in enumerate(("A", "B"), 1):
        world.now += 10
        world.write(ended(), key=key(child))
        world.write(of_child(DID, child, position))
    world.write(ended())


def open_at(world: ReadingWorld, after: str = "", **request: Any) -> StreamResponse:
    return open_consolidated(world.services, KEY, ConsolidatedRequest(after=after or None, **request))


async def _join(response: StreamResponse) -> bytes:
    assert response.body is not None
    return b"".join([chunk async for chunk in response.body])


def stream_of(world: ReadingWorld, after: str = "", **request: Any) -> bytes:
    return asyncio.run(_join(open_at(world, after, **request)))


def places(stream: bytes) -> list[str]:
    """Whose events, and which, a stream has told."""
    return [":".join(event.last_event_id.split(":")[:2]) for event in parse(stream)]


def cursor_of(world: ReadingWorld, *positions: Place) -> str:
    return Cursor(execution_id=ROOT, sequence=1, places=positions).text(KEY)


@pytest.fixture
def world() -> ReadingWorld:
    return ReadingWorld()


# --- what is told -------------------------------------------------------------------------------


def test_a_tree_that_has_ended_is_told_by_cause_and_time(world: ReadingWorld) -> None:
    family(world)
    told = places(stream_of(world))
    assert told[:9] == ["01X:1", "01X:2", "01X:3", "A:1", "01X:4", "A:2", "B:1", "01X:5", "B:2"]
    assert told[9:] == ["A:3", "01X:6", "B:3", "01X:7", "01X:8"]
    assert world.waits == []


def test_every_frame_says_whose_it_is(world: ReadingWorld) -> None:
    family(world)
    for event in parse(stream_of(world)):
        execution, sequence, _ = event.last_event_id.split(":")
        if event.type == "token":
            assert event.data == "two\nlines"
        else:
            body = json.loads(event.data)
            assert (body["workflowExecutionId"], body["sequence"]) == (execution, int(sequence))
            assert {"type", "event", "data", "timestampMs"} <= body.keys()


def test_every_id_leads_to_exactly_the_rest(world: ReadingWorld) -> None:
    family(world)
    whole = parse(stream_of(world))
    for number, event in enumerate(whole[:-1], 1):
        assert parse(stream_of(world, event.last_event_id)) == whole[number:]
    assert open_at(world, whole[-1].last_event_id) == StreamResponse(status=204)


def test_what_happens_meanwhile_comes_as_it_happens(world: ReadingWorld) -> None:
    world.write(started(ROOT))
    world.after_ms(1_000, lambda: world.write(of_child(ASKED, "A")))
    world.after_ms(3_000, lambda: world.write(started("A", ROOT), key=key("A")))
    world.after_ms(9_000, lambda: world.write(ended("A.n1"), key=key("A")))
    world.after_ms(9_500, lambda: world.write(started("A.n1", ROOT, continued_from="A"), key=key("A.n1")))
    world.after_ms(20_000, lambda: world.write(ended(), key=key("A.n1")))
    world.after_ms(20_001, lambda: world.write(of_child(BEGAN, "A"), of_child(DID, "A"), ended()))
    source = EventSource()
    source.receive(stream_of(world))
    told = [":".join(event.last_event_id.split(":")[:2]) for event in source.events]
    assert told == ["01X:1", "01X:2", "A:1", "A:2", "A.n1:1", "01X:3", "A.n1:2", "01X:4", "01X:5"]
    assert source.comments[-1] == "the execution and all its descendants have ended"


def test_a_response_ends_by_itself_while_something_is_open(world: ReadingWorld) -> None:
    world.write(started(ROOT), of_child(ASKED, "A"), ended())
    world.write(started("A", ROOT), key=key("A"))
    began = world.now
    source = EventSource()
    source.receive(stream_of(world))
    assert source.comments == ["heartbeat"] * 3 + ["this response has lasted long enough; reconnect to go on"]
    assert 55_000 <= world.now - began <= 55_600


def test_under_a_filter_heartbeats_carry_how_far_has_been_read(world: ReadingWorld) -> None:
    world.write(started(ROOT))
    for second in range(1, 50):
        world.after_ms(second * 1_000, lambda: world.write(EventType.STREAM_TOKEN))
    source = EventSource()
    source.receive(stream_of(world, types=frozenset({EventType.TASK_FAILED})))
    assert source.events == []
    cursor = parse_cursor(source.last_event_id, KEY)
    assert cursor.places == (Place(position=50),)
    world.log.reads = 0
    assert open_at(world, source.last_event_id).status == 200
    assert world.log.reads <= 3, "what was filtered out was read again"


def test_large_values_are_whole(world: ReadingWorld) -> None:
    world.write(started(ROOT, input=world.stored({"x": "y" * 10_000})), ended())
    first = parse(stream_of(world, format=StreamFormat.CLOUDEVENTS))[0]
    assert json.loads(first.data)["data"]["input"] == {"x": "y" * 10_000}


# --- what it costs ------------------------------------------------------------------------------


def test_a_hundred_quiet_descendants_cost_no_more_than_twenty_looks_a_second(world: ReadingWorld) -> None:
    world.write(started(ROOT), *(of_child(ASKED, f"C{n}", n) for n in range(100)))
    for n in range(100):
        world.write(started(f"C{n}", ROOT, n), key=key(f"C{n}"))
    response = open_at(world)
    world.log.reads = 0
    asyncio.run(_join(response))
    assert 200 < world.log.reads < 101 * 8 + 55 * 21


def test_a_log_that_grows_is_looked_at_sooner_than_those_that_do_not(world: ReadingWorld) -> None:
    world.write(started(ROOT), *(of_child(ASKED, f"C{n}", n) for n in range(50)))
    for n in range(50):
        world.write(started(f"C{n}", ROOT, n), key=key(f"C{n}"))
    written: list[int] = []

    def write() -> None:
        world.write(EventType.STREAM_TOKEN, key=key("C7"))
        written.append(world.now)

    for number in range(100):
        world.after_ms(20_000 + number * 100, write)
    seen: list[int] = []

    async def follow() -> None:
        body: Any = open_at(world).body
        async for chunk in body:
            seen.extend(world.now for frame in parse(chunk) if frame.type == "token")

    asyncio.run(follow())
    lags = [at - since for since, at in zip(written, seen, strict=True)]
    assert max(lags[10:]) <= 500


# --- what may go wrong --------------------------------------------------------------------------


def test_a_store_that_fails_meanwhile_is_asked_again(world: ReadingWorld) -> None:
    world.write(started(ROOT))

    def write_and_fail() -> None:
        world.write(of_child(ASKED, "A"))
        world.write(started("A", ROOT), ended(), key=key("A"))
        world.write(of_child(DID, "A"), ended())
        world.log.fails = 5

    world.after_ms(5_000, write_and_fail)
    assert places(stream_of(world)) == ["01X:1", "01X:2", "A:1", "A:2", "01X:3", "01X:4"]
    assert world.log.fails == 0


def test_one_descendant_too_many_ends_a_stream_and_refuses_the_next(world: ReadingWorld) -> None:
    world.write(started(ROOT), *(of_child(ASKED, f"C{n}", n) for n in range(100)))
    for n in range(100):
        world.write(started(f"C{n}", ROOT, n), key=key(f"C{n}"))
    world.after_ms(2_000, lambda: world.write(EventType.STREAM_TOKEN, of_child(ASKED, "C100", 100)))
    source = EventSource()
    source.receive(stream_of(world))
    refused = source.events.pop()
    assert refused.type == "refused"
    assert json.loads(refused.data)["code"] == "TOO_MANY_DESCENDANTS"
    assert source.last_event_id == refused.last_event_id == source.events[-1].last_event_id
    assert source.last_event_id.startswith("01X:102:")
    for after in (source.last_event_id, ""):
        with pytest.raises(UnprocessableInput) as error:
            open_at(world, after)
        assert error.value.code == "TOO_MANY_DESCENDANTS"
    world.write(ended(), key=key("C5"))
    assert places(stream_of(world, source.last_event_id)) == ["C5:2", "01X:103"]


def test_grandchildren_count_and_what_has_ended_does_not(world: ReadingWorld) -> None:
    world.write(started(ROOT), *(of_child(ASKED, f"C{n}", n) for n in range(50)))
    for n in range(50):
        world.write(started(f"C{n}", ROOT, n), of_child(ASKED, f"D{n}", 1), key=key(f"C{n}"))
    assert not are_more_open_than(world.services, KEY, 100)
    assert are_more_open_than(world.services, KEY, 99)
    world.write(started("D0", "C0"), ended(), key=key("D0"))
    assert not are_more_open_than(world.services, KEY, 99)
    world.write(ended("01X.n1"))
    assert not are_more_open_than(world.services, KEY, 100)


def test_many_that_were_open_at_a_time_are_told_a_hundred_at_a_time(world: ReadingWorld) -> None:
    world.write(started(ROOT), *(of_child(ASKED, f"C{n}", n) for n in range(250)))
    for n in range(250):
        world.now += 1
        world.write(started(f"C{n}", ROOT, n), ended(), key=key(f"C{n}"))
    world.write(*(of_child(DID, f"C{n}", n) for n in range(250)), ended())
    whole = parse(stream_of(world))
    assert len(whole) == 1 + 250 * 4 + 1
    assert max(len(event.last_event_id) for event in whole) < 1_000


@pytest.mark.parametrize(
    "forged",
    [
        [Place(position=99)],
        [Place(position=8)],
        [Place(hops=1, position=0)],
        [Place(hops=1, position=1)],
        [Place(position=1), Place(parent=0, sequence=2, position=1)],
        [Place(position=4), Place(parent=0, sequence=4, position=1)],
        [Place(position=4), Place(parent=0, sequence=2, position=9)],
        [Place(position=4), Place(parent=0, sequence=2, position=1), Place(parent=0, sequence=2, position=1)],
        [Place(position=4), Place(position=4)],
        [Place(position=4), Place(parent=0, sequence=2, hops=1, position=0)],
        [Place(), Place(parent=0, sequence=99, position=0)],
        [Place(), Place(parent=0, sequence=3, position=2), Place(parent=1, sequence=2, position=0)],
        [Place(position=0)] + [Place(parent=0, sequence=2, position=1)] * 101,
    ],
)
def test_a_cursor_that_nobody_can_have_is_refused(world: ReadingWorld, forged: list[Place]) -> None:
    family(world)
    with pytest.raises(InvalidInput) as refused:
        open_at(world, cursor_of(world, *forged))
    assert refused.value.code == "INVALID_CURSOR"


def test_a_made_up_cursor_leads_into_no_other_tree(world: ReadingWorld) -> None:
    world.write(started("S"), of_child(ASKED, "SC"), EventType.STREAM_TOKEN, key=key("S"))
    world.write(started("SC", "S"), EventType.STREAM_TOKEN, key=key("SC"))
    world.write(started(ROOT), of_child(ASKED, "S"))
    for forged in (
        [Place(position=2), Place(parent=0, sequence=2, position=1)],
        [Place(position=2), Place(parent=0, sequence=2), Place(parent=1, sequence=2, position=0)],
        [Place(position=2), Place(parent=0, sequence=2), Place(parent=1, sequence=2, position=1)],
        [Place(), Place(parent=0, sequence=2), Place(parent=1, sequence=2, position=1)],
    ):
        with pytest.raises(InvalidInput):
            open_at(world, cursor_of(world, *forged))


def test_the_end_is_not_believed_before_there_is_one(world: ReadingWorld) -> None:
    world.write(started(ROOT))
    with pytest.raises(InvalidInput):
        open_at(world, cursor_of(world))
    world.write(ended())
    assert open_at(world, cursor_of(world)).status == 204


def test_another_orgs_execution_is_not_found_whatever_the_cursor(world: ReadingWorld) -> None:
    family(world)
    cursor = parse(stream_of(world))[2].last_event_id
    other = LogKey(OrgId("other"), ROOT)
    for after in (None, cursor):
        with pytest.raises(NotFound):
            open_consolidated(world.services, other, ConsolidatedRequest(after=after))
    world.write(started(ROOT), key=other)
    with pytest.raises(InvalidInput):
        open_consolidated(world.services, other, ConsolidatedRequest(after=cursor))


# --- what is not kept ---------------------------------------------------------------------------


def expire(world: ReadingWorld, id: str) -> None:
    """All but the first and the last commit of a log is gone."""
    commits = world.log.commits[key(id)]
    world.log.commits[key(id)] = [commits[0], replace(commits[-1], expires_at_ms=world.now)]


def code_of(open: Any) -> str:
    with pytest.raises(CallerError) as refused:
        open()
    assert isinstance(refused.value, Gone)
    return refused.value.code


def test_an_execution_that_has_expired_is_gone_and_so_is_what_follows_a_cursor(world: ReadingWorld) -> None:
    family(world)
    whole = parse(stream_of(world))
    expire(world, ROOT)
    assert code_of(partial(open_at, world)) == "EXECUTION_EXPIRED"
    assert code_of(partial(open_at, world, whole[2].last_event_id)) == "CURSOR_EXPIRED"
    assert open_at(world, whole[-1].last_event_id).status == 204


def test_what_is_left_of_a_child_is_not_taken_for_all_of_it(world: ReadingWorld) -> None:
    world.write(started(ROOT), of_child(ASKED, "A"))
    world.write(started("A", ROOT), EventType.STREAM_TOKEN, key=key("A"))
    world.write(EventType.STREAM_TOKEN, key=key("A"))
    world.write(ended(), key=key("A"))
    world.write(ended())
    whole = parse(stream_of(world))
    expire(world, "A")
    assert code_of(partial(open_at, world, whole[2].last_event_id)) == "CURSOR_EXPIRED"
    assert code_of(partial(open_at, world)) == "CURSOR_EXPIRED"


def test_a_retry_is_told_of_though_the_failed_ones_children_have_expired(world: ReadingWorld) -> None:
    for failed in ("F", "G"):
        world.write(started(failed), key=key(failed))
    world.write(started("A", "F"), EventType.STREAM_TOKEN, key=key("A"))
    world.write(EventType.STREAM_TOKEN, key=key("A"))
    world.write(ended(), key=key("A"))
    again = RetryOf(workflow_execution_id="F", sequence=1, origin="F")
    world.write(
        started(ROOT, retry_of=again), of_child(ASKED, "A"), of_child(BEGAN, "A"), of_child(DID, "A"), ended()
    )
    whole = places(stream_of(world))
    assert whole == ["01X:1", "01X:2", "A:1", "01X:3", "A:2", "A:3", "A:4", "01X:4", "01X:5"]
    expire(world, "A")
    assert places(stream_of(world)) == [f"01X:{n}" for n in range(1, 6)]
    del world.log.commits[key("A")]
    assert places(stream_of(world)) == [f"01X:{n}" for n in range(1, 6)]
