"""Channels over HTTP, on both stores: what is appended is read once, in order, whole; and what is closed or gone stays so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import pytest

from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.ids import ExecutionId, is_channel_log
from flowstrand.errors import StoreUnavailable
from flowstrand.local.stores import Stores
from flowstrand.local.table_stream import stream_record
from flowstrand.log.dynamodb_retention import DynamoRetentionRows
from flowstrand.log.port import Commit, EventLog, LogKey
from flowstrand.log.records import StoredBody, unpack_record
from flowstrand.service import closed_executions, feed
from flowstrand.service.channels import rows
from flowstrand.service.channels.abandoned import GRACE_MS
from flowstrand.service.container import install
from tests.scenarios.durable import CHANNELS, EXECUTIONS, Said, append, content, create, read, say, whole
from tests.scenarios.world import ORG, World

TEXT = "text/plain"
JSON = "application/json"
ANYTHING = bytes(range(256)) * 3


@pytest.fixture(params=("sqlite", "dynamodb"))
def either(request: pytest.FixtureRequest, both_stores: dict[str, Stores]) -> Iterator[World]:
    """A world on a store that other tests of this module have used as well; each names channels of its own."""
    world = World(both_stores[request.param], warm=16)
    undo = install(world.services)
    yield world
    undo()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Of a channel that is this test's."""
    return f"{request.node.originalname}"[-100:]


def log_of(world: World, name: str) -> LogKey:
    channel = rows.find(world.services.directory, ORG, name)
    assert channel is not None
    return channel.key


def commits(world: World, key: LogKey) -> list[Commit]:
    return list(world.services.log.read(key, after=0))


def elsewhere(act: Callable[[], Said]) -> None:
    """Somebody else's request, which is served, while this one's is."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(act).result().status in {201, 204}


# --- what is in it --------------------------------------------------------------------------------


def test_bytes_come_back_as_they_were_sent_from_every_offset(either: World, name: str) -> None:
    offsets = [create(either, name, ANYTHING).offset]
    offsets += [append(either, name, bytes([number]) * number).offset for number in range(1, 20)]

    assert offsets == sorted(set(offsets))
    for index, offset in enumerate(offsets):
        expected = b"".join(bytes([number]) * number for number in range(index + 1, 20))
        assert read(either, name, offset).body == expected
    assert content(either, name) == ANYTHING + b"".join(bytes([number]) * number for number in range(1, 20))


def test_each_append_is_one_commit_at_the_tail_and_its_checkpoint_is_all_the_next_one_reads(
    either: World, name: str
) -> None:
    create(either, name)
    for number in range(30):
        append(
            either,
            name,
            b"x" * number or b"-",
            Producer_Id=f"p-{number % 3}",
            Producer_Epoch="0",
            Producer_Seq=str(number // 3),
        )
    key = log_of(either, name)
    assert [commit.sequence for commit in commits(either, key)] == [*range(1, 32)]
    assert all(commit.checkpoint_at == commit.sequence for commit in commits(either, key))

    reads: list[str] = []
    inner = either.services.log

    class Watched:
        def __getattr__(self, method: str) -> Any:
            reads.append(method)
            return getattr(inner, method)

    undo = install(replace(either.services, log=cast(EventLog, Watched())))
    append(either, name, b"more")
    undo()
    assert set(reads) == {"tail", "append"}


def test_a_large_body_lies_in_the_payload_store_and_reads_like_any_other(either: World, name: str) -> None:
    large = ANYTHING * 400
    create(either, name, b"a")
    append(either, name, large)
    append(either, name, b"z")

    stored = unpack_record(commits(either, log_of(either, name))[1])
    assert isinstance(stored, StoredBody)
    assert stored.size == len(large)
    assert content(either, name) == b"a" + large + b"z"


def test_a_page_ends_before_it_is_too_large_and_the_next_goes_on(either: World, name: str) -> None:
    create(either, name)
    parts = [bytes([number]) * 700_000 for number in range(3)]
    for part in parts:
        append(either, name, part)

    pages = whole(either, f"{CHANNELS}/{name}")

    assert [len(page.body) for page in pages] == [700_000] * 3
    assert b"".join(page.body for page in pages) == b"".join(parts)
    assert ["stream-up-to-date" in page.headers for page in pages] == [False, False, True]
    assert pages[0].headers["cache-control"].startswith("private, max-age")
    assert pages[2].headers["cache-control"] == "private, no-cache"


def test_more_than_a_body_may_have_is_413_and_appends_nothing(either: World, name: str) -> None:
    create(either, name)
    assert append(either, name, b"x" * 1_048_577).status == 413
    assert content(either, name) == b""


def test_of_a_json_channel_an_array_is_messages_one_level_deep(either: World, name: str) -> None:
    create(either, name, b"[1,[2,3]]", JSON)
    append(either, name, b'{"four": "f\\u00fcnf"}', JSON)
    append(either, name, b'"\\ud800"', JSON)

    assert json.loads(read(either, name).body) == [1, [2, 3], {"four": "f\u00fcnf"}, "\ud800"]
    for refused in (b"[]", b"{", b"NaN", b"1e400", b"\xff", b"[" * 100_000):
        assert append(either, name, refused, JSON).status == 400
    assert json.loads(read(either, name, "now").body) == []


# --- who comes first ------------------------------------------------------------------------------


def test_many_writers_at_once_lose_nothing_and_come_each_once(busy_world: World) -> None:
    create(busy_world, "crowded")

    def write(number: int) -> int:
        return append(busy_world, "crowded", f"<{number}>".encode()).status

    with ThreadPoolExecutor(6) as pool:
        statuses = [*pool.map(write, range(40))]

    assert set(statuses) <= {204, 503}
    expected = sorted(f"<{number}>" for number, status in enumerate(statuses) if status == 204)
    found = content(busy_world, "crowded").decode().replace("><", ">|<").split("|")
    assert sorted(found) == expected
    assert len(expected) > 20


def test_what_a_producer_repeats_is_in_it_once_whoever_sends_it_at_once(busy_world: World) -> None:
    create(busy_world, "repeated")

    def write(number: int) -> int:
        producer = {"Producer_Id": "p", "Producer_Epoch": "0", "Producer_Seq": str(number)}
        while True:
            status = append(busy_world, "repeated", f"<{number}>".encode(), **producer).status
            if status in {200, 204}:
                return status
            assert status in {409, 503}, status

    with ThreadPoolExecutor(6) as pool:
        statuses = [*pool.map(write, [number for number in range(8) for _ in range(3)])]

    assert statuses.count(200) == 8
    assert content(busy_world, "repeated") == b"".join(f"<{number}>".encode() for number in range(8))


def test_an_append_whose_reply_was_lost_is_recognised_as_its_own(either: World, name: str) -> None:
    create(either, name)
    inner = either.services.log

    class Forgetful:
        lost = 0

        def append(self, commit: Commit) -> None:
            inner.append(commit)
            if not self.lost:
                self.lost += 1
                raise StoreUnavailable("the reply was lost")

        def __getattr__(self, method: str) -> Any:
            return getattr(inner, method)

    undo = install(replace(either.services, log=cast(EventLog, Forgetful())))
    assert append(either, name, b"once").status == 204
    undo()
    assert content(either, name) == b"once"


def test_who_is_overtaken_by_a_close_is_told_so(either: World, name: str) -> None:
    create(either, name)
    either.log.before_append = lambda _: elsewhere(
        lambda: say(either, "POST", f"{CHANNELS}/{name}", Stream_Closed="true")
    )

    late = append(either, name, b"late")

    assert (late.status, late.headers["stream-closed"]) == (409, "true")
    assert content(either, name) == b""


def test_a_name_is_the_same_however_it_is_written_in_a_url(either: World, name: str) -> None:
    created = create(either, f"{name}%3Ab", b"1")
    assert created.status == 201
    assert create(either, f"{name}:b", b"1").status == 200
    assert append(either, f"{name}%3Ab", b"2").status == 204
    assert content(either, f"{name}:b") == content(either, f"{name}%3ab") == b"12"
    assert say(either, "DELETE", f"{CHANNELS}/{name}%3Ab").status == 204
    assert read(either, f"{name}:b").status == 404


@pytest.mark.parametrize("segment", ["%C2%92s", "a%20b", "a%23b", "%2Fa", "-", "n" * 129])
def test_what_can_be_no_name_makes_no_channel(either: World, segment: str) -> None:
    refused = create(either, segment, b"1")
    assert (refused.status, json.loads(refused.body)["code"]) == (400, "INVALID_INPUT")


def test_two_who_make_the_same_channel_find_one(either: World, name: str) -> None:
    directory = either.services.directory

    class Overtaken:
        is_first = True

        def put(self, partition: str, key: str, *arguments: Any, **options: Any) -> Any:
            if self.is_first and partition.startswith("channel#"):
                self.is_first = False
                undo()
                elsewhere(lambda: create(either, name, b"theirs"))
                raise PreconditionFailed(partition)
            return directory.put(partition, key, *arguments, **options)

        def __getattr__(self, method: str) -> Any:
            return getattr(directory, method)

    undo = install(replace(either.services, directory=cast(Any, Overtaken())))
    assert create(either, name, b"mine").status == 200
    assert content(either, name) == b"theirs"


# --- its end --------------------------------------------------------------------------------------


def test_nothing_follows_a_close(either: World, name: str) -> None:
    create(either, name, b"first")
    closed = append(either, name, b" and last", Stream_Closed="true")
    key = log_of(either, name)
    before = commits(either, key)

    assert append(either, name, b"more").status == 409
    assert append(either, name, b"more", Stream_Closed="true").status == 409
    assert say(either, "POST", f"{CHANNELS}/{name}", Stream_Closed="true").offset == closed.offset
    assert commits(either, key) == before
    end = read(either, name, live="long-poll")
    assert (end.status, end.body, end.headers["stream-closed"]) == (200, b"first and last", "true")
    assert read(either, name, end.offset, live="long-poll").status == 204


def test_a_channel_that_is_made_again_shows_nothing_of_the_one_before(either: World, name: str) -> None:
    old = create(either, name, b"old").offset
    assert say(either, "DELETE", f"{CHANNELS}/{name}").status == 204
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert (
            say(either, method, f"{CHANNELS}/{name}", b"x" if method == "POST" else b"", Content_Type=TEXT).status
            == 404
        )
    new = create(either, name, b"new", TEXT).offset

    assert new != old
    assert content(either, name) == b"new"
    gone = read(either, name, old)
    assert (gone.status, json.loads(gone.body)["code"]) == (410, "CURSOR_EXPIRED")
    assert read(either, name, old, live="sse").status == 410


def test_a_channel_lives_for_as_long_as_it_is_used(either: World, name: str) -> None:
    create(either, name, b"x", Stream_TTL="100")
    for _ in range(3):
        either.clock.ms += 90_000
        assert read(either, name).status == 200
    either.clock.ms += 90_000
    assert append(either, name, b"y").status == 204
    either.clock.ms += 90_000
    assert say(either, "HEAD", f"{CHANNELS}/{name}").headers["stream-ttl"] == "100"
    either.clock.ms += 21_000
    assert say(either, "HEAD", f"{CHANNELS}/{name}").status == 404
    assert create(either, name, b"z", TEXT).status == 201
    assert content(either, name) == b"z"


def test_a_channel_with_an_end_ends_then_whoever_uses_it(either: World, name: str) -> None:
    create(either, name, b"x", Stream_Expires_At="2026-11-23T12:01:00.5+00:00")
    ends_ms = rows.find(either.services.directory, ORG, name).expires_at_ms  # type: ignore[union-attr]  # it is there
    assert ends_ms == 1_795_435_260_500
    either.clock.ms = max(either.clock.ms, ends_ms - 1) if either.clock.ms < ends_ms else either.clock.ms
    assert read(either, name).status == (200 if either.clock.ms < ends_ms else 404)
    either.clock.ms = max(either.clock.ms, ends_ms)
    assert read(either, name).status == 404


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.9999Z", "0001-01-01T00:00:00+01:00"]
)
def test_an_end_that_cannot_be_told_in_utc_is_refused(either: World, moment: str) -> None:
    assert create(either, "beyond", Stream_Expires_At=moment).status == 400
    assert read(either, "beyond").status == 404


# --- whose it is not ------------------------------------------------------------------------------


def test_nobody_takes_a_channels_log_for_an_executions(either: World, name: str) -> None:
    create(either, name, b'{"a":1}', JSON)
    append(either, name, b"[2]", JSON)
    key = log_of(either, name)
    assert is_channel_log(key.execution_id)
    told = {"Records": [cast(Any, stream_record(commit)) for commit in commits(either, key)]}
    before = feed.end(either.services, ORG)

    assert either.invoke("projector", cast(Any, told)) == {"batchItemFailures": []}

    assert feed.end(either.services, ORG) == before
    found = either.request("GET", "/workflow-executions").body["executions"]
    assert [one for one in found if is_channel_log(one["workflowExecutionId"])] == []
    path = f"/workflow-executions/{key.execution_id}"
    for below in ("", "/events", "/state", "/tasks", "/children"):
        assert either.request("GET", path + below).status == 404, below
    assert either.open_at(f"{path}/stream").status == 404
    assert say(either, "GET", f"{EXECUTIONS}/{key.execution_id}").status == 404
    assert either.signal(key.execution_id, "s").status == 404
    assert either.cancel(key.execution_id).status == 404
    assert either.invoke("projector", {"detail-type": "Scheduled Event"})["woken"] == 0


# --- the janitor ----------------------------------------------------------------------------------


def test_the_janitor_lets_go_of_what_was_deleted_and_of_nothing_else(either: World, name: str) -> None:
    create(either, name, b"old")
    for _ in range(5):
        append(either, name, b"more")
    old = log_of(either, name)
    say(either, "DELETE", f"{CHANNELS}/{name}")
    create(either, name, b"new")
    assert remaining(either, old) == 6

    either.clock.ms += GRACE_MS + 1
    clean(either)

    assert remaining(either, old) == 0
    assert content(either, name) == b"new"
    either.clock.ms += 365 * 86_400_000
    clean(either)
    assert content(either, name) == b"new"


def test_the_janitor_ends_channels_whose_time_has_run_out(either: World, name: str) -> None:
    create(either, name, b"x", Stream_TTL="60")
    key = log_of(either, name)
    either.clock.ms += 2 * GRACE_MS + 60_000

    clean(either)
    clean(either)

    assert remaining(either, key) == 0
    assert rows.find(either.services.directory, ORG, name) is None


def test_a_log_that_never_got_its_channel_is_let_go(either: World, name: str) -> None:
    directory = either.services.directory

    class Dying:
        def put(self, partition: str, *arguments: Any, **options: Any) -> Any:
            if partition.startswith("channel#"):
                raise KeyboardInterrupt
            return directory.put(partition, *arguments, **options)

        def __getattr__(self, method: str) -> Any:
            return getattr(directory, method)

    begun: list[LogKey] = []
    undo = install(replace(either.services, directory=cast(Any, Dying())))
    either.log.before_append = lambda commit: begun.append(commit.key)
    with pytest.raises(KeyboardInterrupt):
        create(either, name, b"x")
    undo()
    assert read(either, name).status == 404
    assert remaining(either, begun[0]) == 1

    either.clock.ms += GRACE_MS + 1
    clean(either)

    assert remaining(either, begun[0]) == 0


def test_only_the_expiry_of_a_log_without_a_channel_is_no_alarm(
    either: World, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    create(either, name, b"x")
    (commit,) = commits(either, log_of(either, name))
    image: Any = cast(Any, stream_record(commit))["dynamodb"]["NewImage"]
    marked = {**image, "expires_at": {"N": "1"}}
    record: Any = cast(Any, stream_record(commit))
    record = {
        **record,
        "eventName": "MODIFY",
        "dynamodb": {**record["dynamodb"], "OldImage": image, "NewImage": marked},
    }

    either.invoke("projector", cast(Any, {"Records": [record]}))
    assert "ChangedCommits" in capsys.readouterr().out
    say(either, "DELETE", f"{CHANNELS}/{name}")
    either.invoke("projector", cast(Any, {"Records": [record]}))
    assert "ChangedCommits" not in capsys.readouterr().out


def clean(world: World) -> None:
    assert world.clean()["failed"] == 0
    world.clean()  # SQLite deletes at the next run what has been marked


def remaining(world: World, key: LogKey) -> int:
    """Commits that are not let go."""
    retention: Any = getattr(world.services.retention, "_rows", None)
    if not isinstance(retention, DynamoRetentionRows):
        return len(commits(world, key))
    items = retention._client.query(
        TableName=retention._table,
        KeyConditionExpression="execution = :e",
        ExpressionAttributeValues={":e": {"S": str(key)}},
    )["Items"]
    return sum("expires_at" not in item for item in items)


def test_the_rows_that_lead_to_channels_are_among_those_of_ended_executions(either: World, name: str) -> None:
    create(either, name)
    say(either, "DELETE", f"{CHANNELS}/{name}")
    due = [
        row.key.execution_id
        for shard in range(closed_executions.SHARDS)
        for row in closed_executions.due(either.services.directory, shard, either.clock.ms + GRACE_MS, 1_000)
    ]
    assert any(is_channel_log(ExecutionId(id)) for id in due)
