"""Channels from one store to another: the same positions, the same state, found when whole, and never in another's place."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import shake_128
from itertools import count
from typing import Any

import pytest

from flowstrand.engine.ids import OrgId
from flowstrand.errors import HistoryRefused, LogCorrupted, NotFound
from flowstrand.histories.channel import Append, ChannelHistory, Sender
from flowstrand.histories.lines import digest
from flowstrand.histories.reading import read, sections
from flowstrand.histories.writing import HistoryWriter
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.log.sqlite_inventory import SqliteInventory
from flowstrand.operations import import_claims
from flowstrand.operations.channel_commits import commits_of
from flowstrand.operations.channel_exporting import export_all, export_channel
from flowstrand.operations.channel_importing import import_channel
from flowstrand.operations.importing import Checked, Outcome, check
from flowstrand.service import closed_executions, janitor
from flowstrand.service.channels import opening, reading, removing, rows, standing
from flowstrand.service.channels.abandoned import GRACE_MS
from flowstrand.service.channels.appending import Appended, Closed, Fenced, Message, Repeated, append_message
from flowstrand.service.channels.opening import Wanted
from flowstrand.service.channels.producers import Claim
from tests.unit.operations.exported import NOW_MS
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, kill

NAME = "chat"
JSON = "application/json"
LARGE = json.dumps("large " * 3_000).encode()
"""More than an append takes inline."""
CLAIM = Claim("importer", 2, 0)


@pytest.fixture
def source() -> ServiceWorld:
    """Where a channel was made, and written to by two producers and one who numbers nothing."""
    world = ServiceWorld()
    talk(world)
    return world


@pytest.fixture
def world() -> ServiceWorld:
    """Where nothing is."""
    return other_world()


def other_world() -> ServiceWorld:
    """One that makes other ids than the first."""
    world = ServiceWorld()
    world.services.random_bytes(1)
    return world


def make(world: ServiceWorld, name: str = NAME, **wanted: Any) -> None:
    opening.open_channel(world.services, ORG, name, Wanted(**{"content_type": JSON, **wanted}))


def say(world: ServiceWorld, body: bytes, name: str = NAME, *, type: str = JSON, **more: Any) -> object:
    return append_message(world.services, ORG, name, Message(body=body, content_type=type, **more))


def talk(world: ServiceWorld) -> None:
    make(world, body=b'["a","b"]')
    say(world, b'{"said":"\xc3\xa4"}', claim=Claim("other", 0, 0), seq="1")
    world.clock.advance(1_000)
    say(world, LARGE, claim=CLAIM)
    say(world, b"[1,2]", seq="2")


def exported(world: ServiceWorld, name: str = NAME) -> ChannelHistory:
    """What an export of it has, having been through a file."""
    [found] = sections(lines_of(export_channel(world.services, ORG, name)))
    assert isinstance(found, ChannelHistory)
    return found


def lines_of(*channels: ChannelHistory) -> list[str]:
    file = io.StringIO()
    with HistoryWriter(file, now_ms=NOW_MS, version="0") as writer:
        for channel in channels:
            writer.write_channel(channel)
    return file.getvalue().splitlines(keepends=True)


def contents(world: ServiceWorld, name: str = NAME, *, after: int = 0, org: OrgId = ORG) -> tuple[bytes, ...]:
    channel = standing.require(world.services, org, name).channel
    return reading.page(world.services, channel, after=after).bodies


def log_of(world: ServiceWorld, history: ChannelHistory) -> list[object]:
    return [
        (c.sequence, c.commit_id, c.written_at_ms, c.events, c.checkpoint) for c in world.commits(id_of(history))
    ]


def id_of(history: ChannelHistory) -> str:
    return history.key.execution_id


# --- as it was ------------------------------------------------------------------------------------


def test_an_imported_channel_is_the_channel_that_was_exported(source: ServiceWorld, world: ServiceWorld) -> None:
    history = exported(source)
    assert import_channel(world.services, history).outcome is Outcome.IMPORTED
    assert log_of(world, history) == log_of(source, history)
    assert exported(world) == history
    assert rows.find(world.services.directory, ORG, NAME) == rows.find(source.services.directory, ORG, NAME)


def test_a_reader_goes_on_where_it_was_and_a_writer_too(source: ServiceWorld, world: ServiceWorld) -> None:
    import_channel(world.services, exported(source))
    assert contents(world, after=2) == contents(source, after=2) == (LARGE, b"1,2")
    assert isinstance(say(world, b'"next"', claim=replace(CLAIM, sequence=1)), Appended)
    assert contents(world, after=4) == (b'"next"',)


def test_producers_are_fenced_and_told_of_repetitions_as_before(source: ServiceWorld, world: ServiceWorld) -> None:
    import_channel(world.services, exported(source))
    assert isinstance(say(world, LARGE, claim=CLAIM), Repeated)
    assert isinstance(say(world, b"3", claim=replace(CLAIM, epoch=1, sequence=9)), Fenced)
    assert len(contents(world)) == 4


def test_a_closed_channel_stays_closed(source: ServiceWorld, world: ServiceWorld) -> None:
    say(source, b"", closes=True)
    import_channel(world.services, exported(source))
    assert isinstance(say(world, b"3"), Closed)


def test_bytes_that_are_no_text_survive(source: ServiceWorld, world: ServiceWorld) -> None:
    anything = bytes(range(256))
    make(source, "bytes", content_type="image/png", body=anything)
    say(source, anything * 100, "bytes", type="image/png")
    import_channel(world.services, exported(source, "bytes"))
    assert contents(world, "bytes") == (anything, anything * 100)


def test_it_may_become_another_orgs(source: ServiceWorld, world: ServiceWorld) -> None:
    other = OrgId("other")
    import_channel(world.services, exported(source), org=other)
    assert contents(world, org=other) == contents(source)
    with pytest.raises(NotFound):
        contents(world)


def test_exporting_is_no_use_of_it(source: ServiceWorld) -> None:
    make(source, "short", ttl_s=60)
    source.clock.advance(50_000)
    exported(source, "short")
    source.clock.advance(20_000)
    with pytest.raises(NotFound):
        exported(source, "short")


def test_the_channels_of_an_org_are_found_among_all_logs() -> None:
    database = SqliteDatabase.in_memory()
    world = ServiceWorld()
    world.services = replace(world.services, log=SqliteLog(database))
    for name in ("one", "two", "three"):
        make(world, name)
    removing.remove(world.services, ORG, "two")
    inventory = SqliteInventory(database)
    assert {each.making.name for each in export_all(world.services, inventory, ORG)} == {"one", "three"}
    assert list(export_all(world.services, inventory, OrgId("acm"))) == []
    database.close()


def test_a_damaged_log_cannot_be_exported(source: ServiceWorld) -> None:
    source.disk.bodies.clear()
    with pytest.raises(LogCorrupted):
        export_channel(source.services, ORG, NAME)


# --- time -----------------------------------------------------------------------------------------


def test_a_time_to_live_begins_again_with_the_import(source: ServiceWorld, world: ServiceWorld) -> None:
    make(source, "short", ttl_s=60)
    history = exported(source, "short")
    world.clock.advance(GRACE_MS)
    import_channel(world.services, history)
    world.clock.advance(59_000)
    assert contents(world, "short") == ()
    world.clock.advance(8_000)
    with pytest.raises(NotFound):
        contents(world, "short")


def test_once_its_time_has_run_out_the_janitor_removes_it(source: ServiceWorld, world: ServiceWorld) -> None:
    make(source, "short", ttl_s=60)
    import_channel(world.services, exported(source, "short"))
    world.clock.advance(3 * GRACE_MS)
    janitor.run(world.services, until_ms=world.clock.now_ms() + 1)
    assert rows.find(world.services.directory, ORG, "short") is None


def test_one_whose_end_has_come_is_left_out(source: ServiceWorld, world: ServiceWorld) -> None:
    make(source, "until", expires_at_ms=source.clock.now_ms() + 1_000)
    history = exported(source, "until")
    world.clock.advance(2_000)
    assert import_channel(world.services, history).outcome is Outcome.LEFT_OUT
    assert (world.disk.commits, world.disk.items) == ({}, {})


def test_one_that_is_kept_is_not_the_janitors(source: ServiceWorld, world: ServiceWorld) -> None:
    import_channel(world.services, exported(source))
    assert all(
        not closed_executions.due(world.services.directory, shard, 10**15 - 1, 1)
        for shard in range(closed_executions.SHARDS)
    )


# --- again, and in pieces -------------------------------------------------------------------------


def test_importing_again_changes_nothing(source: ServiceWorld, world: ServiceWorld) -> None:
    history = exported(source)
    import_channel(world.services, history)
    before = dict(world.disk.commits), dict(world.disk.items)
    assert import_channel(world.services, history).outcome is Outcome.UNCHANGED
    assert (dict(world.disk.commits), dict(world.disk.items)) == before
    say(world, b'"more"')
    assert import_channel(world.services, history).outcome is Outcome.UNCHANGED


def test_what_has_come_since_goes_behind_what_is_here(source: ServiceWorld, world: ServiceWorld) -> None:
    import_channel(world.services, exported(source))
    say(source, b'"late"', claim=replace(CLAIM, sequence=1))
    assert import_channel(world.services, exported(source)).outcome is Outcome.CONTINUED
    assert exported(world) == exported(source)


def test_what_has_gone_another_way_is_refused_and_left_as_it_is(source: ServiceWorld, world: ServiceWorld) -> None:
    import_channel(world.services, exported(source))
    say(source, b'"there"')
    say(world, b'"here"')
    before = contents(world)
    assert refusal(lambda: import_channel(world.services, exported(source))) == "CHANNEL_CONFLICT"
    assert contents(world) == before


def test_who_appends_meanwhile_is_not_overtaken(source: ServiceWorld, world: ServiceWorld) -> None:
    import_channel(world.services, exported(source))
    say(source, b'"there"')
    world.seam.before("log.put", lambda: say(world, b'"here"'))
    assert refusal(lambda: import_channel(world.services, exported(source))) == "CHANNEL_CONFLICT"
    assert contents(world, after=4) == (b'"here"',)


def test_a_name_that_is_anothers_is_refused(source: ServiceWorld, world: ServiceWorld) -> None:
    make(world, body=b'"mine"')
    assert refusal(lambda: import_channel(world.services, exported(source))) == "CHANNEL_CONFLICT"
    assert contents(world) == (b'"mine"',)
    assert list(import_claims.every(world.services.directory)) == []


def test_a_name_whose_channel_has_run_out_is_free(source: ServiceWorld, world: ServiceWorld) -> None:
    make(world, body=b'"mine"', ttl_s=1)
    world.clock.advance(10_000)
    assert import_channel(world.services, exported(source)).outcome is Outcome.IMPORTED
    assert contents(world) == contents(source)


def test_a_name_that_is_taken_meanwhile_is_refused_by_the_next_import(
    source: ServiceWorld, world: ServiceWorld
) -> None:
    world.seam.before("log.put", kill)
    with pytest.raises(Killed):
        import_channel(world.services, exported(source))
    make(world, body=b'"mine"')
    assert refusal(lambda: import_channel(world.services, exported(source))) == "CHANNEL_CONFLICT"


def test_one_that_was_removed_here_is_refused_while_its_log_is_going(
    source: ServiceWorld, world: ServiceWorld
) -> None:
    history = exported(source)
    import_channel(world.services, history)
    removing.remove(world.services, ORG, NAME)
    assert refusal(lambda: import_channel(world.services, history)) == "CHANNEL_CONFLICT"
    assert list(import_claims.every(world.services.directory)) == []


def dying_at(call: int) -> Callable[[str], None]:
    """A gate: the process dies at its nth call to any port."""
    left = count(call, -1)

    def gate(_name: str) -> None:
        if next(left) == 0:
            kill()

    return gate


def test_whenever_it_dies_the_channel_is_not_there_or_whole_and_repeating_it_makes_it_whole(
    source: ServiceWorld,
) -> None:
    history = exported(source)
    for call in count():
        world = other_world()
        world.seam.gate = dying_at(call)
        try:
            import_channel(world.services, history)
        except Killed:
            world.seam.gate = lambda _: None
        else:
            break
        row = rows.find(world.services.directory, ORG, NAME)
        assert row is None or contents(world) == contents(source)
        world.clock.advance(10 * GRACE_MS)
        janitor.run(world.services, until_ms=world.clock.now_ms() + 1)
        outcome = import_channel(world.services, history).outcome
        assert outcome in {Outcome.IMPORTED, Outcome.REPAIRED, Outcome.UNCHANGED}
        assert exported(world) == history
        assert list(import_claims.every(world.services.directory)) == []
    assert call > 8


def test_an_import_that_was_broken_off_may_be_completed_with_a_later_export(
    source: ServiceWorld, world: ServiceWorld
) -> None:
    world.seam.after("log.put", lambda: None, kill)
    with pytest.raises(Killed):
        import_channel(world.services, exported(source))
    say(source, b'"late"')
    assert import_channel(world.services, exported(source)).outcome is Outcome.REPAIRED
    assert exported(world) == exported(source)


# --- files ----------------------------------------------------------------------------------------


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(HistoryRefused) as refused:
        act()
    return refused.value.code


def test_a_file_reads_back_as_it_was_written(source: ServiceWorld) -> None:
    history = exported(source)
    lines = lines_of(history)
    assert lines_of(*(each for each in sections(lines) if isinstance(each, ChannelHistory))) == lines
    assert list(read(lines)) == [], "a channel is no history"
    assert check([history], leave_out_open=False) == Checked(channels=1)


def test_a_file_that_was_changed_or_cut_off_is_refused(source: ServiceWorld) -> None:
    lines = lines_of(exported(source))
    for place in range(1, len(lines)):
        assert refusal(lambda: list(sections(lines[:place]))) == "INVALID_EXPORT"  # noqa: B023  # called at once
        if '"payload","sha256"' not in lines[place]:  # that is missed where it is looked for
            missing = [*lines[:place], *lines[place + 1 :]]
            assert refusal(lambda: list(sections(missing))) == "INVALID_EXPORT"  # noqa: B023  # called at once
    for before, after in (
        ('"a', '"A'),
        ("1,2", "1,3"),
        ('"epoch":2', '"epoch":3'),
        ('"chat"', '"chit"'),
        ("large", "small"),
    ):
        text = "".join(lines).replace(before, after, 1)
        assert refusal(lambda: list(sections(text.splitlines(keepends=True)))) == "INVALID_EXPORT"  # noqa: B023  # called at once


@pytest.mark.parametrize(
    "change",
    [
        {"type": "channel", "name": "a b"},
        {"type": "channel", "name": 1},
        {"type": "channel", "id": "01X"},
        {"type": "channel", "ttlSeconds": "1"},
        {"type": "channel", "ttlSeconds": 1, "expiresAt": "2026-11-28T08:00:00Z"},
        {"type": "channel", "createdAt": "yesterday"},
        {"type": "append", "sequence": "1"},
        {"type": "append", "seq": 1},
        {"type": "append", "base64": "?"},
        {"type": "append", "payload": {"sha256": "00", "size": 1}},
        {"type": "append", "producer": {"id": "p", "epoch": -1, "sequence": 0}},
        {"type": "append", "producer": {"id": "p"}},
    ],
    ids=str,
)
def test_lines_that_are_none_are_refused(source: ServiceWorld, change: dict[str, Any]) -> None:
    lines = lines_of(exported(source))
    place = next(n for n, line in enumerate(lines) if json.loads(line)["type"] == change["type"])
    lines[place] = json.dumps(json.loads(lines[place]) | change, separators=(",", ":")) + "\n"
    end = next(n for n, line in enumerate(lines) if json.loads(line)["type"] == "end")
    digested = [line for line in lines[1:end] if '"payload","sha256"' not in line]
    lines[end] = json.dumps(json.loads(lines[end]) | {"sha256": digest(digested)}) + "\n"
    assert refusal(lambda: list(sections(lines))) == "INVALID_EXPORT"


def changed(history: ChannelHistory, position: int, **values: Any) -> ChannelHistory:
    appends: list[Append] = list(history.appends)
    appends[position - 1] = replace(appends[position - 1], **values)
    return replace(history, appends=tuple(appends))


@pytest.mark.parametrize(
    ("position", "values"),
    [
        (2, {"sequence": 3}),
        (2, {"written_at_ms": 1}),
        (2, {"closes": True}),
        (4, {"seq": "1"}),
        (4, {"sender": Sender("importer", 2, 2)}),
        (4, {"sender": Sender("importer", 1, 1)}),
        (4, {"body": b"no json"}),
        (2, {"body": b'"' + shake_128().hexdigest(450_000).encode() + b'"'}),
    ],
    ids=["gap", "backwards", "after-its-end", "regression", "missing", "stale", "no-json", "too-large"],
)
def test_a_channel_that_nobody_can_have_written_is_refused(
    source: ServiceWorld, position: int, values: dict[str, Any]
) -> None:
    assert refusal(lambda: commits_of(changed(exported(source), position, **values))) == "INVALID_EXPORT"


def test_one_without_a_beginning_or_a_type_is_refused(source: ServiceWorld) -> None:
    history = exported(source)
    untyped = replace(history, making=replace(history.making, content_type="text"))
    for each in (replace(history, appends=()), untyped):
        assert refusal(lambda: check([each], leave_out_open=False)) == "INVALID_EXPORT"  # noqa: B023  # called at once


def test_a_body_that_is_not_in_the_file_is_missed(source: ServiceWorld) -> None:
    without = replace(exported(source), payloads={})
    assert refusal(lambda: check([without], leave_out_open=False)) == "PAYLOAD_MISSING"


def test_a_channel_or_a_name_that_is_in_it_twice_is_refused(source: ServiceWorld) -> None:
    history = exported(source)
    make(source, "other")
    other = exported(source, "other")
    same_name = replace(other, making=replace(other.making, name=NAME))
    for second in (history, same_name):
        assert refusal(lambda: check([history, second], leave_out_open=False)) == "INVALID_EXPORT"  # noqa: B023  # called at once
