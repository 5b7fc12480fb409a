"""What every adapter of the timers port promises, and what is particular to each."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import StoreUnavailable
from flowstrand.queues.messages import Due, DueKind, ScheduleDue, load
from flowstrand.timers.aws import schedule_name
from tests.contract.queues import GROUP, ROLE_ARN, AwsQueues, InProcessQueues, Queues, aws_queues, queues_named

MINUTE_MS = 60_000
DAY_MS = 86_400_000


@pytest.fixture(params=["in-process", "aws"])
def queues(request: pytest.FixtureRequest) -> Iterator[Queues]:
    with queues_named(request.param) as queues:
        yield queues


@pytest.fixture
def aws() -> Iterator[AwsQueues]:
    with aws_queues() as queues:
        yield queues


@pytest.fixture
def in_process() -> InProcessQueues:
    return InProcessQueues()


def due(position: int = 1, *, attempt: int = 0, execution: str = "e1") -> Due:
    kind = DueKind.LEASE if attempt else DueKind.TIMER
    return Due(
        org=OrgId("acme"), execution_id=ExecutionId(execution), kind=kind, position=position, attempt=attempt
    )


def test_a_due_message_arrives_at_its_time_and_not_before(queues: Queues) -> None:
    queues.timers.at(due(), queues.now_ms() + 15 * MINUTE_MS)
    queues.advance(15 * MINUTE_MS - 1_000)
    assert queues.control_messages() == []
    queues.advance(1_000)
    assert queues.control_messages() == [due()]


@pytest.mark.parametrize("ago_ms", [0, 1, DAY_MS])
def test_a_moment_that_has_passed_means_now(queues: Queues, ago_ms: int) -> None:
    queues.timers.at(due(), queues.now_ms() - ago_ms)
    assert queues.control_messages() == [due()]


def test_timers_fire_in_the_order_of_their_moments(queues: Queues) -> None:
    for position, minutes in ((1, 3), (2, 1), (3, 2)):
        queues.timers.at(due(position), queues.now_ms() + minutes * MINUTE_MS)
    fired = []
    for _ in range(3):
        queues.advance(MINUTE_MS)
        fired.append(queues.control_messages())
    assert fired == [[due(2)], [due(3)], [due(1)]]


def test_a_lease_that_was_moved_fires_at_its_new_end_too(queues: Queues) -> None:
    start_ms = queues.now_ms()
    queues.timers.at(due(attempt=1), start_ms + MINUTE_MS)
    queues.timers.at(due(attempt=1), start_ms + 2 * MINUTE_MS)
    queues.advance(MINUTE_MS)
    assert queues.control_messages() == [due(attempt=1)]
    queues.advance(MINUTE_MS)
    assert queues.control_messages() == [due(attempt=1)]


def test_in_process_a_timer_may_be_any_time_away_and_is_armed_once_however_often_it_is_asked_for(
    in_process: InProcessQueues,
) -> None:
    at_ms = in_process.now_ms() + 30 * DAY_MS
    for _ in range(100):
        in_process.timers.at(due(), at_ms)
        in_process.advance(10 * MINUTE_MS)
    assert len(in_process.control) == 1
    in_process.advance(30 * DAY_MS)
    assert in_process.control_messages() == [due()]


def test_in_process_a_timer_that_fired_can_be_armed_again_should_its_message_be_lost(
    in_process: InProcessQueues,
) -> None:
    at_ms = in_process.now_ms() + MINUTE_MS
    in_process.timers.at(due(), at_ms)
    in_process.advance(MINUTE_MS)
    assert in_process.control_messages() == [due()]
    in_process.timers.at(due(), at_ms)
    assert in_process.control_messages() == [due()]


def test_beyond_fifteen_minutes_a_schedule_sends_the_message_to_the_control_queue(aws: AwsQueues) -> None:
    at_ms = 4_102_444_800_500  # 2100-01-01T00:00:00.500Z
    aws.timers.at(due(), at_ms)
    assert aws.control_messages() == []
    (summary,) = aws.scheduler.list_schedules(GroupName=GROUP)["Schedules"]
    schedule = aws.scheduler.get_schedule(GroupName=GROUP, Name=summary["Name"])
    assert schedule["ScheduleExpression"] == "at(2100-01-01T00:00:01)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert (schedule["Target"]["Arn"], schedule["Target"]["RoleArn"]) == (aws.control_arn, ROLE_ARN)
    assert load(schedule["Target"]["Input"]) == due()
    assert json.loads(schedule["Target"]["Input"])["type"] == "due"


def test_beyond_fifteen_minutes_a_schedules_message_is_sent_like_any_other(aws: AwsQueues) -> None:
    nightly = ScheduleDue(org=OrgId("acme"), schedule_id="nightly", uid="u1")
    for _ in range(2):
        aws.timers.at(nightly, aws.now_ms() + DAY_MS)
    (summary,) = aws.scheduler.list_schedules(GroupName=GROUP)["Schedules"]
    schedule = aws.scheduler.get_schedule(GroupName=GROUP, Name=summary["Name"])
    assert load(schedule["Target"]["Input"]) == nightly


def test_what_a_schedule_cannot_deliver_goes_to_the_dead_letters_where_there_are_any(aws: AwsQueues) -> None:
    aws.timers.at(due(1), aws.now_ms() + DAY_MS)
    arn = "arn:aws:sqs:eu-central-1:123456789012:dead-letters"
    aws.timers_with(dead_letters_arn=arn).at(due(2), aws.now_ms() + DAY_MS)
    names = [schedule["Name"] for schedule in aws.scheduler.list_schedules(GroupName=GROUP)["Schedules"]]
    targets = [aws.scheduler.get_schedule(GroupName=GROUP, Name=name)["Target"] for name in names]
    found = {load(target["Input"]): target.get("DeadLetterConfig") for target in targets}
    assert found == {due(1): None, due(2): {"Arn": arn}}


def test_a_schedule_that_is_there_already_is_left_as_it_is(aws: AwsQueues) -> None:
    for _ in range(3):
        aws.timers.at(due(), aws.now_ms() + DAY_MS)
    assert len(aws.scheduler.list_schedules(GroupName=GROUP)["Schedules"]) == 1


def test_a_lease_that_was_moved_beyond_fifteen_minutes_gets_a_schedule_of_its_own(aws: AwsQueues) -> None:
    aws.timers.at(due(attempt=1), aws.now_ms() + DAY_MS)
    aws.timers.at(due(attempt=1), aws.now_ms() + 2 * DAY_MS)
    assert len(aws.scheduler.list_schedules(GroupName=GROUP)["Schedules"]) == 2


def test_schedules_have_names_of_64_characters_however_deep_the_execution() -> None:
    names = {
        schedule_name(due(execution="e1" + ".c12" * 40), 1),
        schedule_name(due(execution="e1" + ".c12" * 40), 2),
        schedule_name(due(2), 1),
        schedule_name(due(2, attempt=1), 1),
    }
    assert len(names) == 4
    assert {len(name) for name in names} == {64}


def test_a_scheduler_that_fails_is_unavailable_and_not_taken_for_one_that_knows_the_timer(aws: AwsQueues) -> None:
    with Stubber(aws.scheduler) as stub:
        stub.add_client_error("create_schedule", "ThrottlingException", http_status_code=429)
        with pytest.raises(StoreUnavailable, match="schedule a timer"):
            aws.timers.at(due(), aws.now_ms() + DAY_MS)
    assert aws.scheduler.list_schedules(GroupName=GROUP)["Schedules"] == []
