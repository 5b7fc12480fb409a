"""Chunks of running tasks, from their worker into the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from flowstrand.engine.chunk import MAX_CHUNK_BYTES, Chunk, ChunkType
from flowstrand.engine.events import StreamData, StreamToken
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import CallerError, Unavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import chunks, safety
from flowstrand.service.tasks import ClaimedTask
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, key_of, kill, work

HELLO = Chunk(type=ChunkType.TOKEN, payload="hello")


async def one_task(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver)


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def claimed(world: ServiceWorld) -> tuple[str, ClaimedTask]:
    """An execution whose one task is in a worker's hands, and nothing else under way."""
    execution = world.begin(one_task)
    [task] = world.claim()
    world.settle()
    return execution, task


def emit(world: ServiceWorld, task: ClaimedTask, *emitted: Chunk, request_id: str | None = "r") -> int:
    return chunks.append_chunks(
        world.services,
        ORG,
        task.task_execution_id,
        lease_token=task.lease_token,
        chunks=emitted or [HELLO],
        request_id=request_id,
    )


def tokens(world: ServiceWorld, execution: str) -> list[object]:
    return [event.data.payload for event in world.events(execution) if isinstance(event.data, StreamToken)]


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """The status and code that a caller is refused with."""
    with pytest.raises(CallerError) as refused:
        call()
    return refused.value.status, refused.value.code


def beaten_by_others(world: ServiceWorld, task: ClaimedTask, times: int) -> None:
    """Somebody else appends just before each of the next puts."""

    def other(number: int) -> None:
        emit(world, task, Chunk(type=ChunkType.DATA, payload=number), request_id=f"other-{number}")

    hooks: list[Callable[[], object]] = []
    for number in range(times):
        # The other's own put goes through the same seam: a hook that does nothing stands in the queue for it.
        hooks += [partial(other, number), lambda: None]
    world.seam.before("log.put", *hooks)


def test_the_chunks_of_a_call_are_one_commit_and_answered_with_its_last_sequence(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    last = emit(world, task, HELLO, HELLO, HELLO)
    assert world.types(execution).endswith("TASK_STARTED STREAM_TOKEN STREAM_TOKEN STREAM_TOKEN")
    assert last == len(world.events(execution))
    assert world.commits(execution)[-1].count == 3


def test_chunks_wake_nobody_and_need_no_safety_wake(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    emit(world, task)
    safety.on_commit(world.services, world.commits(execution)[-1])
    assert world.wakes() == []


def test_a_task_that_streamed_completes_as_any_other(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    emit(world, task)
    world.complete(task)
    world.settle()
    assert world.types(execution).endswith("STREAM_TOKEN TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED")


def test_chunks_repeated_after_a_lost_reply_are_answered_and_not_doubled(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    world.seam.after("log.put", kill)
    with pytest.raises(Killed):
        emit(world, task)
    world.restart()
    assert emit(world, task) == len(world.events(execution))
    assert tokens(world, execution) == ["hello"]


def test_a_repetition_is_answered_after_the_end_too(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    first = emit(world, task)
    world.complete(task)
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    assert emit(world, task) == first


def test_without_a_request_id_every_call_is_new(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    assert emit(world, task, request_id=None) + 1 == emit(world, task, request_id=None)
    assert tokens(world, execution) == ["hello", "hello"]


def test_chunks_of_a_worker_that_fell_silent_are_refused(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    world.jump(60_000)
    length = len(world.events(execution))
    assert refusal(lambda: emit(world, task)) == (409, "EXECUTION_CLOSED")
    assert len(world.events(execution)) == length


def test_chunks_for_an_unknown_task_are_not_found(world: ServiceWorld) -> None:
    _, task = claimed(world)
    call = partial(
        chunks.append_chunks, world.services, ORG, "01NEVER.t1", lease_token=task.lease_token, chunks=[HELLO]
    )
    assert refusal(call) == (404, "TASK_NOT_FOUND")


@pytest.mark.parametrize(
    ("emitted", "expected"),
    [
        ([HELLO] * (chunks.MAX_CHUNKS + 1), (400, "INVALID_INPUT")),
        ([Chunk(type=ChunkType.DATA, payload="x" * MAX_CHUNK_BYTES)], (413, "PAYLOAD_TOO_LARGE")),
        ([Chunk(type=ChunkType.DATA, payload="x" * 8_000)] * 20, (413, "PAYLOAD_TOO_LARGE")),
    ],
    ids=["many", "large", "large together"],
)
def test_too_much_at_once_is_refused_whole(
    world: ServiceWorld, emitted: Sequence[Chunk], expected: tuple[int, str]
) -> None:
    execution, task = claimed(world)
    length = len(world.events(execution))
    assert refusal(lambda: emit(world, task, *emitted)) == expected
    assert len(world.events(execution)) == length


def test_large_values_are_stored_beside_the_log(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    emit(world, task, Chunk(type=ChunkType.DATA, payload="x" * 100_000))
    data = world.events(execution)[-1].data
    assert isinstance(data, StreamData)
    assert isinstance(data.payload, PayloadRef)


def test_a_turn_does_not_fetch_what_was_streamed(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    emit(world, task, Chunk(type=ChunkType.DATA, payload="x" * 100_000))
    world.restart()  # so that the next turn replays
    world.complete(task)
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    assert "payloads.get" not in world.seam.calls


def test_chunks_that_lose_too_often_go_through_the_inbox_once(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    large = Chunk(type=ChunkType.DATA, payload="x" * 100_000)
    beaten_by_others(world, task, 3)
    world.seam.before("directory.get", world.settle)  # the resumer comes while the caller waits
    last = emit(world, task, HELLO, large)
    assert world.types(execution).endswith("STREAM_DATA STREAM_DATA STREAM_DATA STREAM_TOKEN STREAM_DATA")
    assert last == len(world.events(execution))
    assert emit(world, task, HELLO, large) == last
    assert tokens(world, execution) == ["hello"]


def test_chunks_in_the_inbox_that_were_recorded_directly_are_not_recorded_twice(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    beaten_by_others(world, task, 3)
    with pytest.raises(Unavailable):
        emit(world, task)
    emit(world, task)
    world.settle()
    assert not inbox_items(world, execution)
    assert tokens(world, execution) == ["hello"]


def test_chunks_in_the_inbox_whose_attempt_has_ended_are_dropped_and_refused(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    beaten_by_others(world, task, 3)

    def end() -> None:
        world.complete(task)
        world.settle()

    world.seam.before("directory.get", end)
    assert refusal(lambda: emit(world, task)) == (409, "STALE_ATTEMPT")
    assert tokens(world, execution) == []


# --- how much an attempt may emit -----------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [{"stream_chunks_per_attempt": 3}, {"stream_bytes_per_attempt": 24}],
    ids=["count", "bytes"],
)
def test_an_attempt_emits_no_more_than_it_may(settings: dict[str, int]) -> None:
    world = ServiceWorld(**settings)
    execution, task = claimed(world)
    first = emit(world, task, HELLO, HELLO, request_id="1")
    assert refusal(lambda: emit(world, task, HELLO, HELLO, request_id="2")) == (413, "STREAM_LIMIT_REACHED")
    emit(world, task, HELLO, request_id="3")
    assert refusal(lambda: emit(world, task, HELLO, request_id="4")) == (413, "STREAM_LIMIT_REACHED")
    assert emit(world, task, HELLO, HELLO, request_id="1") == first
    assert tokens(world, execution) == ["hello"] * 3
    world.complete(task)
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_values_beside_the_log_count_as_well() -> None:
    world = ServiceWorld(stream_bytes_per_attempt=100_000)
    _, task = claimed(world)
    large = Chunk(type=ChunkType.DATA, payload="x" * 60_000)
    emit(world, task, large, request_id="1")
    assert refusal(lambda: emit(world, task, large, request_id="2")) == (413, "STREAM_LIMIT_REACHED")


def test_chunks_in_the_inbox_that_there_is_no_room_for_are_dropped_and_refused() -> None:
    world = ServiceWorld(stream_chunks_per_attempt=4)
    execution, task = claimed(world)
    beaten_by_others(world, task, 3)
    world.seam.before("directory.get", world.settle)
    # One fits while it is decided; by the time that the inbox is drained, others have taken the room.
    world.seam.before("directory.put", lambda: emit(world, task, HELLO, request_id="first"))
    assert refusal(lambda: emit(world, task)) == (413, "STREAM_LIMIT_REACHED")
    assert tokens(world, execution) == ["hello"]
    assert not inbox_items(world, execution)


def test_counting_reads_no_more_of_a_long_log_than_of_a_short_one() -> None:
    world = ServiceWorld(stream_chunks_per_attempt=10_000, checkpoint_bytes=2_000)
    execution, task = claimed(world)
    read: list[int] = []
    for number in range(120):
        world.restart()
        world.seam.rows_read = 0
        emit(world, task, *[HELLO] * 5, request_id=str(number))
        read.append(world.seam.rows_read)
    assert max(read[60:]) <= max(read[:60])
    assert len(tokens(world, execution)) == 600


def inbox_items(world: ServiceWorld, execution: str) -> object:
    return world.services.directory.scan(f"inbox#{key_of(execution)}", limit=10)
