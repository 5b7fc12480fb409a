"""The worker's side of task logs: order, batches, what is dropped and told of, and an attempt that is never held up."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.attempts import log_queue
from flowstrand.attempts.attempt_log import AttemptLog
from flowstrand.attempts.log_queue import MAX_QUEUED_RECORDS, MAX_SENT_BYTES, LogQueue
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.task_log import MAX_BATCH_RECORDS, LogLevel, LogRecord
from flowstrand.errors import Conflict, Gone, StoreUnavailable

pytestmark = pytest.mark.anyio

NEVER_S = 3_600.0
"""An interval that no test waits for."""
NAME = "attempt 1 of e.t1"


class Server:
    """Keeps batches, while its gate is open; the first of a number counts, as at the real one."""

    def __init__(self, batches: int = 500) -> None:
        self.kept: dict[int, list[str]] = {}
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.has_kept = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.faults: list[Exception] = []
        self.lost_replies = 0
        self._batches = batches

    async def deliver(self, number: int, records: Sequence[LogRecord]) -> int:
        self.asked += 1
        self.was_asked.set()
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        assert 1 <= len(records) <= MAX_BATCH_RECORDS
        self.kept.setdefault(number, [record.message for record in records])
        self.has_kept.set()
        if self.lost_replies:
            self.lost_replies -= 1
            raise StoreUnavailable("the reply was lost")
        return self._batches - number

    async def until(self, batches: int) -> None:
        """Return when so many are kept."""
        while len(self.kept) < batches:
            self.has_kept.clear()
            await self.has_kept.wait()

    @property
    def messages(self) -> list[str]:
        assert list(self.kept) == list(range(1, len(self.kept) + 1)), (
            "batches are numbered densely, and come in order"
        )
        return [message for batch in self.kept.values() for message in batch]


def record(message: object, at: int = 0) -> LogRecord:
    return LogRecord(timestamp_ms=EpochMs(at), level=LogLevel.INFO, message=str(message))


@pytest.fixture
async def server() -> Server:
    return Server()


async def test_what_is_logged_together_is_sent_together_at_the_end(server: Server) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=NEVER_S)
    for number in range(3):
        log.take(record(number))
    await log.close()
    assert server.kept == {1: ["0", "1", "2"]}


async def test_an_attempt_that_says_nothing_asks_nothing(server: Server) -> None:
    await AttemptLog(server.deliver, NAME, interval_s=NEVER_S).close()
    assert server.asked == 0


async def test_a_record_waits_no_longer_than_the_interval(server: Server) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=0)
    log.take(record("a"))
    await server.was_asked.wait()
    log.take(record("b"))
    await log.close()
    assert server.messages == ["a", "b"]
    assert len(server.kept) == 2


async def test_a_full_batch_is_sent_at_once(server: Server) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=NEVER_S)
    for number in range(MAX_BATCH_RECORDS + 1):
        log.take(record(number))
    await server.was_asked.wait()
    await log.close()
    assert server.messages == [str(number) for number in range(MAX_BATCH_RECORDS + 1)]
    assert [len(batch) for batch in server.kept.values()] == [MAX_BATCH_RECORDS, 1]


async def test_lost_replies_lose_and_double_nothing(server: Server) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=NEVER_S)
    server.lost_replies = 1
    log.take(record("a"))
    closing = asyncio.create_task(log.close())
    await server.was_asked.wait()
    await closing
    assert server.kept == {1: ["a"]}
    assert server.asked == 2


async def test_what_came_while_a_reply_was_lost_is_in_the_next_batch() -> None:
    server = Server()
    server.lost_replies = 1
    log = AttemptLog(server.deliver, NAME, interval_s=0)
    log.take(record("a"))
    await server.was_asked.wait()
    log.take(record("b"))
    await log.close()
    assert server.kept == {1: ["a"], 2: ["b"]}


async def test_threads_log_without_waiting_and_each_in_its_order(server: Server) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=0)

    def speak(name: str) -> None:
        for number in range(300):
            log.take(record(f"{name}{number}"))

    threads = [threading.Thread(target=speak, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await log.close()
    assert len(server.messages) == 900
    for name in "abc":
        assert [m for m in server.messages if m.startswith(name)] == [f"{name}{number}" for number in range(300)]


async def test_too_much_at_once_is_dropped_and_told_of_where_it_is_missing(server: Server) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=NEVER_S)
    server.gate.clear()
    for number in range(MAX_QUEUED_RECORDS + 5):
        log.take(record(number))
    await server.was_asked.wait()
    server.gate.set()
    await server.until(2)
    log.take(record("after"))
    await log.close()
    told, last = server.messages[-2:]
    assert told == "5 records were dropped: they came faster than they could be sent"
    assert last == "after"
    assert server.messages[:-2] == [str(number) for number in range(MAX_QUEUED_RECORDS)]


async def test_the_last_batch_waits_for_the_end_and_tells_how_much_was_dropped() -> None:
    server = Server(batches=3)
    log = AttemptLog(server.deliver, NAME, interval_s=0)
    for number in range(2):
        log.take(record(number))
        await server.until(number + 1)
    for number in range(2, 1_002):
        log.take(record(number))
    assert len(server.kept) == 2
    await log.close()
    assert server.messages[:-1] == [str(number) for number in range(2 + MAX_BATCH_RECORDS - 1)]
    assert server.messages[-1] == "801 records were dropped: an attempt's log is kept up to here"


async def test_a_last_batch_that_has_room_holds_what_was_said(server: Server) -> None:
    server = Server(batches=2)
    log = AttemptLog(server.deliver, NAME, interval_s=0)
    log.take(record("a"))
    await server.was_asked.wait()
    await server.until(1)
    log.take(record("b"))
    await log.close()
    assert server.kept == {1: ["a"], 2: ["b"]}


async def test_a_server_that_does_not_answer_holds_the_attempt_up_no_longer_than_agreed(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=NEVER_S)
    server.gate.clear()
    log.take(record("a"))
    log.take(record("b"))
    await log.close(within_s=0.01)
    assert "2 log records of attempt 1 of e.t1 were not kept" in caplog.text
    log.take(record("late"))
    server.gate.set()
    await asyncio.sleep(0)
    assert server.asked == 1


@pytest.mark.parametrize("refused", [Gone("gone", code="EXECUTION_EXPIRED"), Conflict("no", code="INVALID_LEASE")])
async def test_a_refusal_ends_it_and_nothing_else(
    server: Server, refused: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=0)
    server.faults = [refused]
    log.take(record("a"))
    await server.was_asked.wait()
    await asyncio.sleep(0)
    log.take(record("b"))
    await log.close()
    assert (server.asked, server.kept) == (1, {})
    assert "no more of the log of attempt 1 of e.t1 is kept" in caplog.text


async def test_where_no_logs_are_kept_nobody_is_warned(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.faults = [Conflict("no logs are kept", code="TASK_LOG_FULL")]
    log = AttemptLog(server.deliver, NAME, interval_s=0)
    with caplog.at_level(logging.WARNING):
        log.take(record("a"))
        await log.close()
    assert caplog.records == []


async def test_stopping_ends_it_at_once(server: Server) -> None:
    log = AttemptLog(server.deliver, NAME, interval_s=0)
    server.gate.clear()
    log.take(record("a"))
    await server.was_asked.wait()
    log.stop()
    log.take(record("b"))
    await log.close()
    assert server.asked == 1


# --- the queue ------------------------------------------------------------------------------------


@given(
    sizes=st.lists(st.integers(1, MAX_SENT_BYTES // 3), max_size=60),
    taken_after=st.lists(st.integers(0, 60), max_size=10),
    most=st.integers(1, 40),
    last_after=st.integers(0, 80),
)
def test_a_queue_keeps_order_and_says_how_many_it_has_dropped(
    sizes: list[int], taken_after: list[int], most: int, last_after: int
) -> None:
    """Whenever batches are taken, what comes out is what went in, but for gaps whose notes say how large they are."""
    queue, out = LogQueue(), list[list[LogRecord]]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_queue, "MAX_QUEUED_RECORDS", most)
        for number, size in enumerate(sizes):
            if number == last_after:
                queue.allow_one_batch()
            if number in taken_after and number < last_after:
                out.append(queue.batch())
                queue.remove(len(out[-1]))
            queue.add(record(f"{number} ".ljust(size, "x"), at=number))
        if len(sizes) <= last_after:
            queue.allow_one_batch()
        queue.close()
        out.append(queue.batch())
        queue.remove(len(out[-1]))
    assert (len(queue), queue.dropped) == (0, 0), "the last batch holds all that is left"
    following = 0
    for one in (one for batch in out for one in batch):
        head = int(one.message.split(maxsplit=1)[0])
        if " dropped: " in one.message:
            following += head
        else:
            assert head == following
            following += 1
    assert following == len(sizes)


def test_what_comes_after_the_end_is_ignored() -> None:
    queue = LogQueue()
    queue.close()
    queue.add(record("late"))
    assert (len(queue), queue.batch()) == (0, [])
