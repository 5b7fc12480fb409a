"""The in-process queues: what tests/contract/test_queues.py leaves open, because SQS promises less or cannot show it."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.queues import messages
from flowstrand.queues.in_process import InProcessControlQueue, InProcessTaskQueue
from flowstrand.queues.messages import TaskMessage, Wake
from flowstrand.queues.visibility import VisibilityQueue
from flowstrand.service.clock import SystemClock
from tests.unit.manual_clock import ManualClock

ORG = OrgId("acme")
VISIBILITY_MS = 60_000


def wake(sequence: int) -> Wake:
    return Wake(org=ORG, execution_id=ExecutionId("e1"), sequence=sequence)


def task(position: int, attempt: int = 1) -> TaskMessage:
    return TaskMessage(org=ORG, execution_id=ExecutionId("e1"), position=position, attempt=attempt)


def sequences(queue: InProcessControlQueue, limit: int = 100) -> list[int]:
    messages = [received.message for received in queue.receive(limit, 0)]
    assert all(isinstance(message, Wake) for message in messages)
    return [message.sequence for message in messages if isinstance(message, Wake)]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def control(clock: ManualClock) -> InProcessControlQueue:
    return InProcessControlQueue(clock, VISIBILITY_MS)


@pytest.fixture
def tasks(clock: ManualClock) -> InProcessTaskQueue:
    return InProcessTaskQueue(clock, visibility_ms=30_000)


def test_messages_come_in_the_order_in_which_they_became_visible(
    control: InProcessControlQueue, clock: ManualClock
) -> None:
    control.send([wake(1)], delay_ms=2_000)
    control.send([wake(2)], delay_ms=1_000)
    control.send([wake(3), wake(4)])
    clock.advance(5_000)
    assert sequences(control) == [3, 4, 2, 1]


def test_an_unacknowledged_message_comes_again_and_its_deliveries_are_counted(
    control: InProcessControlQueue, clock: ManualClock
) -> None:
    control.send([wake(1)])
    counts = []
    for _ in range(3):
        (received,) = control.receive(10, 0)
        counts.append(received.receive_count)
        assert control.receive(10, 0) == []
        clock.advance(VISIBILITY_MS)
    assert counts == [1, 2, 3]


def test_an_acknowledged_message_does_not_come_again(control: InProcessControlQueue, clock: ManualClock) -> None:
    control.send([wake(1)])
    (received,) = control.receive(10, 0)
    control.acknowledge(received)
    clock.advance(VISIBILITY_MS)
    assert control.receive(10, 0) == []
    assert len(control) == 0
    assert control.next_at_ms() is None


def test_an_acknowledgement_that_comes_after_a_redelivery_changes_nothing(
    control: InProcessControlQueue, clock: ManualClock
) -> None:
    control.send([wake(1)])
    (first,) = control.receive(10, 0)
    clock.advance(VISIBILITY_MS)
    (second,) = control.receive(10, 0)
    control.acknowledge(first)
    control.release(first)
    assert control.receive(10, 0) == []
    assert len(control) == 1
    control.acknowledge(second)
    assert len(control) == 0


def test_a_released_message_comes_again_after_the_given_delay(
    control: InProcessControlQueue, clock: ManualClock
) -> None:
    control.send([wake(1)])
    (received,) = control.receive(10, 0)
    control.release(received, delay_ms=500)
    assert control.next_at_ms() == clock.now_ms() + 500
    assert control.receive(10, 0) == []
    clock.advance(500)
    assert sequences(control) == [1]


def test_slow_work_keeps_its_message_by_releasing_it_into_the_future(
    control: InProcessControlQueue, clock: ManualClock
) -> None:
    control.send([wake(1)])
    (received,) = control.receive(10, 0)
    for _ in range(4):
        clock.advance(VISIBILITY_MS // 2)
        control.release(received, delay_ms=VISIBILITY_MS)
        assert control.receive(10, 0) == []
    control.acknowledge(received)
    assert len(control) == 0


def test_a_delay_may_be_longer_than_sqs_allows(control: InProcessControlQueue, clock: ManualClock) -> None:
    control.send([wake(1)], delay_ms=30 * 86_400_000)
    clock.advance(30 * 86_400_000 - 1)
    assert sequences(control) == []
    clock.advance(1)
    assert sequences(control) == [1]


def test_no_message_is_delivered_twice_by_one_call_even_without_a_visibility_timeout(clock: ManualClock) -> None:
    queue: VisibilityQueue[Wake] = VisibilityQueue(clock, visibility_ms=0)
    queue.put([wake(1)])
    assert len(queue.take(limit=10)) == 1


def test_an_attempt_that_waits_is_not_queued_twice(tasks: InProcessTaskQueue) -> None:
    tasks.send(ORG, "default", [task(1), task(1), task(2)])
    tasks.send(ORG, "default", [task(1), task(1, attempt=2)])
    received = tasks.receive(ORG, "default", limit=10, wait_s=0)
    assert [one.message for one in received] == [task(1), task(2), task(1, attempt=2)]


def test_an_attempt_sent_again_waits_no_longer_than_either_send_asked(
    tasks: InProcessTaskQueue, clock: ManualClock
) -> None:
    tasks.send(ORG, "default", [task(1)], delay_ms=10_000)
    tasks.send(ORG, "default", [task(1)], delay_ms=2_000)
    tasks.send(ORG, "default", [task(1)], delay_ms=20_000)
    clock.advance(2_000)
    (received,) = tasks.receive(ORG, "default", limit=10, wait_s=0)
    tasks.delete(ORG, "default", received)
    clock.advance(60_000)
    assert tasks.receive(ORG, "default", limit=10, wait_s=0) == []


def test_an_attempt_that_was_received_may_be_queued_again(tasks: InProcessTaskQueue) -> None:
    tasks.send(ORG, "default", [task(1)])
    (received,) = tasks.receive(ORG, "default", limit=10, wait_s=0)
    tasks.send(ORG, "default", [task(1)])
    tasks.delete(ORG, "default", received)
    (again,) = tasks.receive(ORG, "default", limit=10, wait_s=0)
    assert again.message == task(1)


class CountingClock(SystemClock):
    """The machine's clock, counting how often it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def now_ms(self) -> int:
        self.reads += 1
        return super().now_ms()


def test_waiting_for_nothing_takes_its_time_and_does_not_spin() -> None:
    clock = CountingClock()
    queue = InProcessTaskQueue(clock)
    started_ms = SystemClock().now_ms()
    assert queue.receive(ORG, "default", limit=1, wait_s=0.2) == []
    assert SystemClock().now_ms() - started_ms >= 190
    assert clock.reads < 12


def test_a_receiver_is_woken_by_a_send_and_by_a_delay_that_ends() -> None:
    queue = InProcessControlQueue(SystemClock(), VISIBILITY_MS)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(queue.receive, 1, 30) for _ in range(2)]
        queue.send([wake(1)])
        queue.send([wake(2)], delay_ms=50)
        received = [message for future in waiting for message in future.result(timeout=20)]
    assert sorted(one.message.sequence for one in received if isinstance(one.message, Wake)) == [1, 2]


def test_closing_ends_every_wait() -> None:
    tasks = InProcessTaskQueue(SystemClock())
    control = InProcessControlQueue(SystemClock(), VISIBILITY_MS)
    with ThreadPoolExecutor(2) as pool:
        poll = pool.submit(tasks.receive, ORG, "default", limit=1, wait_s=60)
        pump = pool.submit(control.receive, 1, 60)
        tasks.close()
        control.close()
        assert list(poll.result(timeout=20)) == []
        assert pump.result(timeout=20) == []
    assert tasks.receive(ORG, "opened-later", limit=1, wait_s=60) == []


def test_a_clock_that_stands_still_does_not_hold_a_receiver_for_ever(control: InProcessControlQueue) -> None:
    assert control.receive(1, 0.01) == []


def test_of_concurrent_receivers_exactly_one_gets_each_message() -> None:
    queue = InProcessTaskQueue(SystemClock())
    queue.send(ORG, "default", [task(position) for position in range(200)])

    def drain() -> list[int]:
        positions: list[int] = []
        while received := queue.receive(ORG, "default", limit=3, wait_s=0):
            for one in received:
                queue.delete(ORG, "default", one)
                positions.append(one.message.position)
        return positions

    with ThreadPoolExecutor(4) as pool:
        drained = [position for part in pool.map(lambda _: drain(), range(4)) for position in part]
    assert sorted(drained) == list(range(200))


@given(st.integers(min_value=0, max_value=2**32))
def test_every_message_is_delivered_until_acknowledged_and_never_after(seed: int) -> None:
    chance = random.Random(seed)
    clock = ManualClock()
    queue = InProcessControlQueue(clock, 1_000)
    acknowledged: Counter[int] = Counter()
    for sequence in range(20):
        queue.send([wake(sequence)], delay_ms=chance.randrange(3_000))
    for _ in range(400):
        if len(queue) == 0:
            break
        clock.advance(chance.randrange(700))
        for received in queue.receive(chance.randint(1, 5), 0):
            assert isinstance(received.message, Wake)
            assert acknowledged[received.message.sequence] == 0
            match chance.randrange(3):
                case 0:
                    queue.acknowledge(received)
                    acknowledged[received.message.sequence] += 1
                case 1:
                    queue.release(received, delay_ms=chance.randrange(2_000))
                case _:
                    pass
    assert acknowledged == Counter(range(20))


# --- priorities -----------------------------------------------------------------------------------


def ranked(position: int, priority: int) -> TaskMessage:
    return replace(task(position), priority=priority)


def positions(tasks: InProcessTaskQueue, limit: int = 100) -> list[int]:
    return [received.message.position for received in tasks.receive(ORG, "q", limit=limit, wait_s=0)]


def test_higher_priorities_come_first_and_equals_in_the_order_in_which_they_came(
    tasks: InProcessTaskQueue,
) -> None:
    tasks.send(ORG, "q", [ranked(1, 0), ranked(2, 5), ranked(3, -1), ranked(4, 5), ranked(5, 0)])
    assert positions(tasks, limit=2) == [2, 4]
    tasks.send(ORG, "q", [ranked(6, 5)])
    assert positions(tasks) == [6, 1, 5, 3]


def test_a_priority_gives_no_right_to_come_before_its_time(tasks: InProcessTaskQueue, clock: ManualClock) -> None:
    tasks.send(ORG, "q", [ranked(1, 9)], delay_ms=1_000)
    tasks.send(ORG, "q", [ranked(2, 0)])
    tasks.send(ORG, "q", [ranked(3, 0)])
    assert positions(tasks, limit=1) == [2]
    clock.advance(1_000)
    assert positions(tasks) == [1, 3]


def test_what_was_not_taken_yet_is_next_however_low_its_priority(
    tasks: InProcessTaskQueue, clock: ManualClock
) -> None:
    tasks.send(ORG, "q", [ranked(1, 5), ranked(2, 0)])
    assert positions(tasks, limit=1) == [1]
    assert tasks.next_at_ms(ORG, "q") == clock.now_ms()
    assert positions(tasks) == [2]
    assert tasks.next_at_ms(ORG, "q") == clock.now_ms() + 30_000


def test_an_attempt_that_comes_again_keeps_its_priority(tasks: InProcessTaskQueue, clock: ManualClock) -> None:
    tasks.send(ORG, "q", [ranked(1, 5)])
    assert positions(tasks) == [1]
    tasks.send(ORG, "q", [ranked(2, 0)])
    clock.advance(30_000)
    assert positions(tasks) == [1, 2]


@pytest.mark.parametrize("priority", [0, 3, -3])
def test_a_priority_survives_the_wire(priority: int) -> None:
    assert messages.load(messages.dump(ranked(1, priority))) == ranked(1, priority)
    assert ("priority" in messages.dump(ranked(1, priority))) is bool(priority)
