"""S16: a connection that is cut after any byte and resumed has lost, repeated and reordered nothing, on every transport.

Late joiners, two clients, filters, 204 after the end, 410 after retention, and two transports side by side.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.service import mending
from flowstrand.service.container import install
from tests.scenarios.world import StillClock, World
from tests.unit.sse_parser import Dispatched, EventSource, parse

pytestmark = pytest.mark.parametrize("world", ["sqlite-warm", "dynamodb-warm"], indirect=True)
"""Which coroutines are kept in memory is nothing that a reader could see."""

Step: TypeAlias = Callable[[], object]

FEED = "/events/stream"
FORMATS = ("state", "cloudevents")
DAY_S = 86_400


class MovingChanges:
    """Nothing happens while a reader waits, but that time passes."""

    def __init__(self, clock: StillClock) -> None:
        self._clock = clock

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        self._clock.sleep_ms(timeout_ms)

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:
        self._clock.sleep_ms(timeout_ms)
        return frozenset()


@pytest.fixture
def short(world: World) -> Iterator[World]:
    """The world, where a response sends what there is and ends: each connection is as if it were cut there."""
    settings = replace(world.services.settings, stream_ms=1)
    services = replace(world.services, settings=settings, changes=MovingChanges(world.clock))
    uninstall = install(services)
    try:
        yield world
    finally:
        uninstall()


class Run:
    """One execution with two tasks that stream, from its start to its end, and a standalone task beside it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.execution = ""
        self.task = ""
        self._claimed: dict[str, Any] = {}

    def steps(self) -> list[Step]:
        """What happens, in order."""
        return [
            self._start,
            self._claim,
            lambda: self._emit("a", {"type": "token", "payload": "one\r\ntwo\n\nthree\r"}),
            lambda: self._emit(
                "b", {"type": "progress", "payload": 0.5}, {"type": "token", "payload": "id: 99\n\n"}
            ),
            lambda: self._complete("b"),
            lambda: self._emit("a", {"type": "data", "payload": {"text": "a\nb\u2028c"}}),
            lambda: self._emit("a", {"type": "error", "payload": {"message": "once more"}}),
            lambda: self._complete("a"),
        ]

    def whole(self) -> Run:
        """All of it, projected."""
        for step in self.steps():
            step()
        project(self.world)
        return self

    def _start(self) -> None:
        body: JsonObject = {"name": "w", "queue": "default", "taskKinds": ["a", "b", "alone"]}
        assert self.world.request("POST", "/workers", body).status == 201
        self.execution = self.world.start("two-awaits")
        answer = self.world.request("POST", "/task-executions", {"kind": "alone"})
        self.task = answer.body["taskExecutionId"]
        self.world.settle()

    def _claim(self) -> None:
        self._claimed = self.world.claim("a", "b")
        self.world.settle()

    def _emit(self, kind: str, *chunks: JsonObject) -> None:
        answer = self.world.emit(self._claimed[kind], *chunks, request_id=f"{chunks}")
        assert answer.status == 200, answer

    def _complete(self, kind: str) -> None:
        self.world.complete(self._claimed[kind], kind.upper())
        self.world.settle()


def project(world: World) -> None:
    """What the table's stream would bring about."""
    mending.run(world.services)


def stream_of(run: Run) -> str:
    return f"{run.world.path(run.execution)}/stream"


def history(world: World, log: str, **query: str) -> list[tuple[int, str]]:
    """All that there is now, by pages."""
    found: list[tuple[int, str]] = []
    after, up_to_date = 0, False
    while not up_to_date:
        page = world.request("GET", f"{world.path(log)}/events", after=str(after), **query).body
        found += [(event["sequence"], event["type"]) for event in page["events"]]
        after, up_to_date = page["nextAfter"], page["upToDate"]
    return found


def ids(events: list[Dispatched]) -> list[int]:
    return [int(event.last_event_id) for event in events]


# --- cut after every byte -------------------------------------------------------------------------


def resumed_after_every_byte(world: World, path: str, **query: str) -> EventSource:
    """However much of a stream a client got, it has all of it once it has resumed; returns a client that has."""
    whole = world.sent_at(path, **query)
    uncut = parse(whole)
    source = EventSource()
    rest: dict[str, bytes] = {}
    for cut in range(len(whole) + 1):
        source = EventSource()
        source.receive(whole[:cut])
        position = source.last_event_id
        if position not in rest:  # nothing else of the cut reaches the server
            rest[position] = world.sent_at(path, last_event_id=position, **query)
        source.receive(rest[position])
        assert source.events == uncut, f"after {cut} bytes"
    assert len(rest) > len(uncut)
    return source


@pytest.mark.parametrize("format", FORMATS)
def test_a_stream_cut_after_every_byte_and_resumed_is_the_uncut_stream(world: World, format: str) -> None:
    run = Run(world).whole()
    source = resumed_after_every_byte(world, stream_of(run), format=format)
    assert ids(source.events) == [sequence for sequence, _ in history(world, run.execution)]


@pytest.mark.parametrize("format", FORMATS)
def test_so_is_the_feed(short: World, format: str) -> None:
    Run(short).whole()
    assert len(resumed_after_every_byte(short, FEED, format=format).events) > 10


def test_a_page_cut_anywhere_is_no_page_and_asked_for_again_it_is_the_same(world: World) -> None:
    run = Run(world).whole()
    path = f"{world.path(run.execution)}/events"
    expected = history(world, run.execution)
    for query in ({"limit": "3"}, {"limit": "3", "wait": "1"}):
        got: list[tuple[int, str]] = []
        after, up_to_date = 0, False
        while not up_to_date:
            page = world.request("GET", path, after=str(after), **query).body
            text = json.dumps(page)
            assert all(_is_cut(text[:cut]) for cut in range(len(text)))
            assert world.request("GET", path, after=str(after), **query).body == page
            got += [(event["sequence"], event["type"]) for event in page["events"]]
            after, up_to_date = page["nextAfter"], page["upToDate"]
        assert got == expected


def _is_cut(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return True
    return False


# --- cut while it runs ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_clients_that_are_cut_off_while_it_runs_get_everything_once_and_in_order(short: World, seed: int) -> None:
    """After every step each of them connects now and then, and gets some of what there is."""
    dice = random.Random(seed)
    run = Run(short)
    clients = {
        (path, format): EventSource() for path in ("execution", "feed") for format in FORMATS for _ in range(2)
    }
    for step in [*run.steps(), None, None]:
        if step is not None:
            step()
        project(short)
        for (path, format), client in clients.items():
            if step is None or dice.random() < 0.7:
                at = FEED if path == "feed" else stream_of(run)
                sent = short.sent_at(at, last_event_id=client.last_event_id, format=format)
                cut = len(sent) if step is None else dice.randint(0, len(sent))
                client.receive(sent[:cut])

    expected = history(short, run.execution)
    assert ids(clients["execution", "state"].events) == [sequence for sequence, _ in expected]
    for path in ("execution", "feed"):
        assert ids(clients[path, "state"].events) == ids(clients[path, "cloudevents"].events)
    for (path, format), client in clients.items():
        at = FEED if path == "feed" else stream_of(run)
        assert client.events == parse(short.sent_at(at, format=format))


def test_two_transports_side_by_side_show_the_same_at_every_moment(short: World) -> None:
    run = Run(short)
    polled: list[tuple[int, str]] = []
    state, cloud = EventSource(), EventSource()
    for step in run.steps():
        step()
        after = polled[-1][0] if polled else 0
        page = short.request("GET", f"{short.path(run.execution)}/events", after=str(after), wait="1").body
        polled += [(event["sequence"], event["type"]) for event in page["events"]]
        for client, format in ((state, "state"), (cloud, "cloudevents")):
            at = client.last_event_id
            client.receive(short.sent_at(stream_of(run), last_event_id=at, format=format))
        assert ids(state.events) == ids(cloud.events) == [sequence for sequence, _ in polled]
    assert polled == history(short, run.execution)


# --- late joiners, filters ------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_who_joins_late_gets_the_rest_from_wherever_it_begins(short: World, format: str) -> None:
    run = Run(short).whole()
    for path in (stream_of(run), FEED):
        whole = parse(short.sent_at(path, format=format))
        for after in range(len(whole) + 1):
            assert parse(short.sent_at(path, after=str(after), format=format)) == whole[after:]


@pytest.mark.parametrize(
    "types",
    ["TASK_COMPLETED", "task.completed", "task.*", "stream.*,workflow.completed", "TASK_STARTED,stream.token"],
)
def test_a_filter_gives_what_history_gives_and_cuts_change_nothing(short: World, types: str) -> None:
    run = Run(short).whole()
    expected = [sequence for sequence, _ in history(short, run.execution, types=types)]
    assert expected
    source = resumed_after_every_byte(short, stream_of(run), types=types)
    assert ids(source.events) == expected
    # The last frame has moved it to the end, so that nothing is read again.
    assert short.open_at(stream_of(run), last_event_id=source.last_event_id, types=types).status == 204


@pytest.mark.parametrize("types", ["workflow.*", "task.completed,workflow.completed", "TASK_CREATED", "stream.*"])
def test_the_feed_is_filtered_likewise_and_never_reads_again_what_it_left_out(short: World, types: str) -> None:
    run = Run(short).whole()
    wanted = {name for _, name in history(short, run.execution, types=types) if not name.startswith("STREAM")}
    source = EventSource()
    source.receive(short.sent_at(FEED, types=types))
    assert {json.loads(event.data)["event"] for event in source.events} == wanted
    everything = parse(short.sent_at(FEED))
    assert source.last_event_id == everything[-1].last_event_id


def test_the_feed_has_every_event_of_every_log_but_what_tasks_emit(short: World) -> None:
    run = Run(short).whole()
    bodies = [json.loads(event.data) for event in parse(short.sent_at(FEED))]
    for log, name in ((run.execution, "workflowExecutionId"), (run.task, "taskExecutionId")):
        got = [(body["sequence"], body["event"]) for body in bodies if body.get(name) == log]
        assert got == [row for row in history(short, log) if not row[1].startswith("STREAM")]
    assert ids(parse(short.sent_at(FEED))) == list(range(1, len(bodies) + 1))


def test_who_follows_the_feed_from_now_on_gets_nothing_old_and_all_that_is_new(short: World) -> None:
    Run(short).whole()
    source = EventSource()
    source.receive(short.sent_at(FEED, after="now"))
    assert source.events == []
    assert source.last_event_id == parse(short.sent_at(FEED))[-1].last_event_id
    execution = short.start("catches")
    project(short)
    source.receive(short.sent_at(FEED, after="now", last_event_id=source.last_event_id))
    assert [json.loads(event.data)["workflowExecutionId"] for event in source.events] == [execution]


# --- ends -----------------------------------------------------------------------------------------


def test_after_the_end_there_is_204_for_who_has_it_all_and_the_feed_goes_on(short: World) -> None:
    run = Run(short).whole()
    last = history(short, run.execution)[-1][0]
    for format in FORMATS:
        assert short.open_at(stream_of(run), last_event_id=str(last), format=format).status == 204
        assert short.open_at(stream_of(run), last_event_id=str(last - 1), format=format).status == 200
    assert short.request("GET", f"{short.path(run.execution)}/events", after=str(last), wait="20").body == {
        "events": [],
        "nextAfter": last,
        "upToDate": True,
        "closed": True,
    }
    end = parse(short.sent_at(FEED))[-1].last_event_id
    assert short.open_at(FEED, last_event_id=end).status == 200


def test_a_position_beyond_the_last_event_is_400_everywhere(short: World) -> None:
    run = Run(short).whole()
    for path in (stream_of(run), f"{short.path(run.task)}/stream", FEED):
        assert short.open_at(path, last_event_id="1000").status == 400
        assert short.open_at(path, after="1000").status == 400
    assert short.request("GET", f"{short.path(run.execution)}/events", after="1000").status == 400


def test_past_what_is_kept_it_is_410_and_who_begins_anew_gets_what_there_is(short: World) -> None:
    run = Run(short).whole()
    assert short.open_at(FEED, last_event_id="3").status == 200
    kept_s = short.services.settings.feed_ms // 1_000
    short.clock.ms += (kept_s + 1) * 1_000
    assert short.open_at(FEED, last_event_id="3").status == 410
    assert parse(short.sent_at(FEED)) == []
    short.start("catches")
    project(short)
    [begun] = parse(short.sent_at(FEED))
    assert json.loads(begun.data)["event"] == "WORKFLOW_STARTED"
    assert short.open_at(FEED, last_event_id="3").status == 410
    # Logs are kept longer than the feed.
    assert len(parse(short.sent_at(stream_of(run)))) == len(history(short, run.execution))
