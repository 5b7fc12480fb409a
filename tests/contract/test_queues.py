"""What every adapter of the control and task queue ports promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.queues.messages import ControlMessage, Due, DueKind, ScheduleDue, TaskMessage, Wake
from tests.contract.queues import VISIBILITY_MS, Queues, queues_named

ACME, OTHER = OrgId("acme"), OrgId("other")


@pytest.fixture(params=["in-process", "aws"])
def queues(request: pytest.FixtureRequest) -> Iterator[Queues]:
    with queues_named(request.param) as queues:
        yield queues


def wakes(count: int) -> list[Wake]:
    return [Wake(org=ACME, execution_id=ExecutionId("e1"), sequence=n + 1) for n in range(count)]


def task(position: int, *, org: OrgId = ACME) -> TaskMessage:
    return TaskMessage(org=org, execution_id=ExecutionId("e1"), position=position, attempt=1)


def positions(queues: Queues, queue: str = "default", *, org: OrgId = ACME, limit: int = 10) -> list[int]:
    return [one.message.position for one in queues.tasks.receive(org, queue, limit=limit, wait_s=0)]


def test_control_messages_arrive_as_they_were_sent(queues: Queues) -> None:
    due = Due(org=ACME, execution_id=ExecutionId("e1.c2"), kind=DueKind.LEASE, position=3, attempt=2)
    scheduled = ScheduleDue(org=ACME, schedule_id="nightly", uid="u1", for_ms=5)
    sent: list[ControlMessage] = [*wakes(1), due, replace(due, rearmed_for_ms=1_795_435_200_000), scheduled]
    queues.control.send(sent)
    assert sorted(queues.control_messages(), key=repr) == sorted(sent, key=repr)


def test_more_control_messages_than_a_batch_holds_all_arrive(queues: Queues) -> None:
    queues.control.send(wakes(23))
    arrived = [message.sequence for message in queues.control_messages() if isinstance(message, Wake)]
    assert sorted(arrived) == list(range(1, 24))


def test_sending_no_messages_is_no_error(queues: Queues) -> None:
    queues.control.send([])
    queues.tasks.send(ACME, "default", [])
    assert queues.control_messages() == []
    assert positions(queues) == []


def test_a_delayed_control_message_arrives_at_its_time_and_not_before(queues: Queues) -> None:
    queues.control.send(wakes(1), delay_ms=30_000)
    queues.advance(29_000)
    assert queues.control_messages() == []
    queues.advance(1_000)
    assert queues.control_messages() == wakes(1)


def test_a_negative_delay_is_none_at_all(queues: Queues) -> None:
    queues.control.send(wakes(1), delay_ms=-5)
    assert queues.control_messages() == wakes(1)


def test_more_tasks_than_a_batch_holds_are_received_ten_at_a_time(queues: Queues) -> None:
    queues.tasks.send(ACME, "default", [task(n) for n in range(25)])
    pages = [positions(queues) for _ in range(4)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert sorted(position for page in pages for position in page) == list(range(25))


def test_no_more_tasks_are_received_than_asked_for(queues: Queues) -> None:
    queues.tasks.send(ACME, "default", [task(n) for n in range(5)])
    assert len(positions(queues, limit=2)) == 2


def test_a_task_that_is_not_deleted_comes_again_after_its_visibility_timeout(queues: Queues) -> None:
    queues.tasks.send(ACME, "default", [task(1)])
    assert positions(queues) == [1]
    assert positions(queues) == []
    queues.advance(VISIBILITY_MS + 1)
    assert positions(queues) == [1]


def test_a_deleted_task_does_not_come_again(queues: Queues) -> None:
    queues.tasks.send(ACME, "default", [task(1)])
    (received,) = queues.tasks.receive(ACME, "default", limit=1, wait_s=0)
    queues.tasks.delete(ACME, "default", received)
    queues.advance(VISIBILITY_MS + 1)
    assert positions(queues) == []


def test_a_task_that_is_given_back_comes_again_at_its_time_and_not_before(queues: Queues) -> None:
    queues.tasks.send(ACME, "default", [task(1)])
    (received,) = queues.tasks.receive(ACME, "default", limit=1, wait_s=0)
    queues.tasks.release(ACME, "default", received, delay_ms=2_000)
    queues.advance(1_000)
    assert positions(queues) == []
    queues.advance(1_001)
    assert positions(queues) == [1]


def test_a_task_that_is_given_back_without_a_delay_can_be_received_at_once(queues: Queues) -> None:
    queues.tasks.send(ACME, "default", [task(1)])
    (received,) = queues.tasks.receive(ACME, "default", limit=1, wait_s=0)
    queues.tasks.release(ACME, "default", received)
    queues.advance(1)
    assert positions(queues) == [1]


def test_a_task_message_arrives_as_it_was_sent(queues: Queues) -> None:
    sent = replace(task(1), priority=3, kind="charge-card")
    queues.tasks.send(ACME, "default", [sent])
    (received,) = queues.tasks.receive(ACME, "default", limit=1, wait_s=0)
    assert received.message == sent


def test_a_delayed_task_is_received_at_its_time_and_not_before(queues: Queues) -> None:
    queues.tasks.send(ACME, "default", [task(1)], delay_ms=1_500)
    queues.advance(1_000)
    assert positions(queues) == []
    queues.advance(1_000)
    assert positions(queues) == [1]


def test_a_queue_that_nobody_has_sent_to_is_empty(queues: Queues) -> None:
    assert positions(queues, "never-named") == []


def test_queues_of_one_org_are_apart(queues: Queues) -> None:
    queues.tasks.send(ACME, "slow", [task(1)])
    queues.tasks.send(ACME, "fast", [task(2)])
    assert positions(queues, "fast") == [2]
    assert positions(queues, "slow") == [1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("acme", "default"), ("other", "default")),
        # Names that one separator cannot keep apart, or that differ only in what a queue's name may not hold.
        (("a-b", "c"), ("a", "b-c")),
        (("a", "b.c"), ("a", "b_c")),
        (("a", "q" * 128), ("a", "q" * 127)),
    ],
)
def test_no_org_and_queue_name_reach_into_anothers_queue(
    queues: Queues, first: tuple[str, str], second: tuple[str, str]
) -> None:
    org, other = OrgId(first[0]), OrgId(second[0])
    queues.tasks.send(org, first[1], [task(1, org=org)])
    assert positions(queues, second[1], org=other) == []
    assert positions(queues, first[1], org=org) == [1]
