"""What tasks log: kept once, in order, within limits; read page by page; and never a part of any history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import RetryPolicy
from flowstrand.engine.events.vocabulary import ErrorInfo
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.task_log import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_MESSAGE, LogLevel, LogRecord
from flowstrand.errors import CallerError, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import task_logs
from flowstrand.service.task_logs import Cursor
from flowstrand.service.tasks import ClaimedTask
from tests.unit.service.service_world import ORG, ServiceWorld, unavailable, work

TWICE = RetryPolicy(max_retries=1, initial_ms=0)


async def one_task(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver, retry=TWICE)


async def two_tasks(driver: Driver, input: JsonValue) -> JsonValue:
    first, second = work(driver), work(driver)
    return [await first, await second]


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def claimed(world: ServiceWorld) -> tuple[str, ClaimedTask]:
    execution = world.begin(one_task)
    [task] = world.claim()
    world.settle()
    return execution, task


def record(message: str, level: LogLevel = LogLevel.INFO, **more: Any) -> LogRecord:
    return LogRecord(timestamp_ms=EpochMs(1_795_435_200_000), level=level, message=message, **more)


def log(world: ServiceWorld, task: ClaimedTask, batch: int, *messages: str | LogRecord) -> int:
    return task_logs.append(
        world.services,
        ORG,
        task.task_execution_id,
        lease_token=task.lease_token,
        batch=batch,
        records=[record(one) if isinstance(one, str) else one for one in messages],
    )


def read(world: ServiceWorld, task_id: str, *, limit: int = 100, **options: Any) -> list[LogRecord]:
    """Every page of it, one after the other."""
    return [logged.record for page in pages(world, task_id, limit=limit, **options) for logged in page]


def pages(
    world: ServiceWorld, task_id: str, *, limit: int, **options: Any
) -> list[Sequence[task_logs.LoggedRecord]]:
    found: list[Sequence[task_logs.LoggedRecord]] = []
    start: Cursor | None = None
    while True:
        page = task_logs.read(world.services, ORG, task_id, limit=limit, start=start, **options)
        found.append(page.records)
        start = page.next
        if start is None:
            return found


def said(world: ServiceWorld, task_id: str, **options: Any) -> list[str]:
    return [one.message for one in read(world, task_id, **options)]


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(CallerError) as refused:
        call()
    return refused.value.status, refused.value.code


def test_everything_that_a_record_says_is_kept(world: ServiceWorld) -> None:
    _, task = claimed(world)
    whole = record(
        "the card was declined",
        LogLevel.ERROR,
        logger="shop.cards",
        fields={"order": {"id": 7}, "empty": None},
        exception=ErrorInfo(type="Declined", message="no funds", stack="Traceback …"),
    )
    log(world, task, 1, whole, "bare")
    assert read(world, task.task_execution_id) == [whole, record("bare")]


def test_records_are_no_events_and_make_nothing_happen(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    before, mail = world.types(execution), len(world.mail.control)
    log(world, task, 1, "hello")
    assert (world.types(execution), len(world.mail.control)) == (before, mail)


def test_a_repeated_batch_stays_as_it_is_and_gets_the_same_answer(world: ServiceWorld) -> None:
    _, task = claimed(world)
    assert [log(world, task, 1, "once"), log(world, task, 1, "once"), log(world, task, 2, "more")] == [
        499,
        499,
        498,
    ]
    assert said(world, task.task_execution_id) == ["once", "more"]


def test_a_batch_whose_reply_was_lost_is_kept_once(world: ServiceWorld) -> None:
    _, task = claimed(world)
    world.seam.after("directory.put", unavailable)
    with pytest.raises(StoreUnavailable):
        log(world, task, 1, "once")
    log(world, task, 1, "once")
    assert said(world, task.task_execution_id) == ["once"]


def test_batches_that_arrive_out_of_order_are_read_in_order(world: ServiceWorld) -> None:
    _, task = claimed(world)
    for number in (12, 2, 10, 1):
        log(world, task, number, str(number))
    assert said(world, task.task_execution_id) == ["1", "2", "10", "12"]


def test_a_task_shows_nothing_of_the_others_in_its_log(world: ServiceWorld) -> None:
    world.begin(two_tasks)
    first, second = world.claim()
    log(world, first, 1, "first")
    log(world, second, 1, "second")
    assert said(world, first.task_execution_id) == ["first"]
    assert said(world, second.task_execution_id) == ["second"]


def test_attempts_follow_one_another_and_can_be_asked_for_one_by_one(world: ServiceWorld) -> None:
    _, first = claimed(world)
    log(world, first, 1, "a1")
    world.jump(world.services.settings.lease_ms)
    [second] = world.claim()
    log(world, second, 1, "b1")
    log(world, first, 2, "a2, when the lease was lost")
    assert (first.attempt, second.attempt) == (1, 2)
    id = first.task_execution_id
    assert said(world, id) == ["a1", "a2, when the lease was lost", "b1"]
    assert (said(world, id, attempt=1), said(world, id, attempt=2)) == (
        ["a1", "a2, when the lease was lost"],
        ["b1"],
    )
    assert said(world, id, attempt=3) == []


def test_what_is_said_after_the_end_of_the_execution_is_kept(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    world.complete(task)
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    log(world, task, 1, "cleaning up")
    assert said(world, task.task_execution_id) == ["cleaning up"]


def test_a_level_leaves_out_what_matters_less(world: ServiceWorld) -> None:
    _, task = claimed(world)
    log(world, task, 1, *(record(level.lower(), level) for level in LogLevel))
    id = task.task_execution_id
    assert said(world, id, level=LogLevel.WARNING) == ["warning", "error", "critical"]
    assert said(world, id, level=LogLevel.DEBUG) == ["debug", "info", "warning", "error", "critical"]


@given(
    batches=st.lists(st.lists(st.sampled_from(list(LogLevel)), min_size=1, max_size=7), max_size=40),
    limit=st.integers(1, 30),
    level=st.sampled_from(list(LogLevel)),
)
def test_pages_have_every_record_once_and_none_too_many(
    batches: list[list[LogLevel]], limit: int, level: LogLevel
) -> None:
    world = ServiceWorld()
    _, task = claimed(world)
    expected: list[str] = []
    for number, levels in enumerate(batches, start=1):
        records = [record(f"{number}.{index}", one) for index, one in enumerate(levels)]
        log(world, task, number, *records)
        expected += [one.message for one in records if one.level.rank >= level.rank]
    found = pages(world, task.task_execution_id, limit=limit, level=level)
    assert [logged.record.message for page in found for logged in page] == expected
    assert all(len(page) <= limit for page in found)


def test_a_page_looks_at_no_more_than_an_answer_can_hold(world: ServiceWorld) -> None:
    _, task = claimed(world)
    for number in range(1, 31):
        log(world, task, number, *("x" * 16_000 for _ in range(7)), str(number))
    page = task_logs.read(world.services, ORG, task.task_execution_id, limit=1_000)
    assert 0 < len(page.records) < 100
    assert len(read(world, task.task_execution_id, limit=1_000)) == 30 * 8


def test_a_task_that_has_said_nothing_is_told_from_one_that_never_was(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    assert said(world, task.task_execution_id) == []
    for unknown in (f"{execution}.t2", "01NEVER.t1", "nonsense"):
        assert refusal(partial(said, world, unknown)) == (404, "TASK_NOT_FOUND")


@pytest.mark.parametrize(
    ("records", "refused"),
    [
        ([], (400, "INVALID_INPUT")),
        (["x"] * (MAX_BATCH_RECORDS + 1), (400, "INVALID_INPUT")),
        (["x" * (MAX_MESSAGE + 1)], (413, "PAYLOAD_TOO_LARGE")),
        (["x" * MAX_MESSAGE] * (MAX_BATCH_BYTES // MAX_MESSAGE + 1), (413, "PAYLOAD_TOO_LARGE")),
    ],
    ids=["none", "many", "long", "much"],
)
def test_what_is_too_much_is_refused_whole(
    world: ServiceWorld, records: list[str], refused: tuple[int, str]
) -> None:
    _, task = claimed(world)
    assert refusal(lambda: log(world, task, 1, *records)) == refused
    assert said(world, task.task_execution_id) == []


def test_as_much_as_may_be_fits_into_a_row_whatever_the_language(world: ServiceWorld) -> None:
    _, task = claimed(world)
    longest = "\N{GRINNING FACE}" * 10_000
    log(world, task, 1, longest)
    assert said(world, task.task_execution_id) == [longest]


def test_no_batch_beyond_the_last_is_kept(world: ServiceWorld) -> None:
    world = ServiceWorld(task_log_batches=2)
    _, task = claimed(world)
    assert [log(world, task, number, str(number)) for number in (1, 2)] == [1, 0]
    assert refusal(lambda: log(world, task, 3, "3")) == (413, "TASK_LOG_FULL")
    assert refusal(lambda: log(world, task, 0, "0")) == (400, "INVALID_INPUT")
    assert said(world, task.task_execution_id) == ["1", "2"]


def test_a_lease_on_another_task_is_none(world: ServiceWorld) -> None:
    world.begin(two_tasks)
    first, second = world.claim()
    forged = refusal(
        lambda: task_logs.append(
            world.services,
            ORG,
            first.task_execution_id,
            lease_token=second.lease_token,
            batch=1,
            records=[record("not mine")],
        )
    )
    assert forged == (409, "INVALID_LEASE")
    assert said(world, first.task_execution_id) == []
