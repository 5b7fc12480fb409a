"""The SQS adapters: batches that fail in part, queues created and deleted, and what an operator must repair."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import ConfigurationError, StoreUnavailable
from flowstrand.queues.messages import TaskMessage, Wake, dump, load
from flowstrand.queues.sqs import MAX_DELAY_MS, SqsControlQueue, SqsTaskQueue
from tests.contract.queues import PREFIX, AwsQueues, aws_queues

ACME, OTHER = OrgId("acme"), OrgId("other")
URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/control"


class PartlyFailing:
    """SQS that does not take some entries of the first batches it is sent.

    `refusals` holds, for each call, the ids that fail; calls beyond take everything.
    """

    def __init__(self, refusals: Sequence[Sequence[str]], *, sender_fault: bool = False) -> None:
        self._refusals = list(refusals)
        self._sender_fault = sender_fault
        self.taken: list[str] = []
        self.delays: set[int] = set()
        self.largest_batch = 0

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == URL
        refused = set(self._refusals.pop(0) if self._refusals else ())
        self.largest_batch = max(self.largest_batch, len(Entries))
        for entry in Entries:
            self.delays.add(entry["DelaySeconds"])
            if entry["Id"] not in refused:
                self.taken.append(entry["MessageBody"])
        failed = [{"Id": id, "SenderFault": self._sender_fault, "Code": "Fault"} for id in sorted(refused)]
        return {"Successful": [], "Failed": failed} if failed else {"Successful": []}


def control(client: Any) -> SqsControlQueue:
    return SqsControlQueue(client, URL)


def wakes(count: int) -> list[Wake]:
    return [Wake(org=ACME, execution_id=ExecutionId("e1"), sequence=n + 1) for n in range(count)]


def task(position: int, *, org: OrgId = ACME) -> TaskMessage:
    return TaskMessage(org=org, execution_id=ExecutionId("e1"), position=position, attempt=1)


@pytest.fixture
def aws() -> Iterator[AwsQueues]:
    with aws_queues() as queues:
        yield queues


def test_entries_that_failed_are_sent_again_and_the_others_are_not() -> None:
    sqs = PartlyFailing([["1", "4"], ["4"]])
    control(sqs).send(wakes(6))
    assert sorted(sqs.taken) == sorted(dump(wake) for wake in wakes(6))


def test_entries_that_keep_failing_are_reported_as_unavailable() -> None:
    sqs = PartlyFailing([["0"]] * 10)
    with pytest.raises(StoreUnavailable, match="1 of 2"):
        control(sqs).send(wakes(2))


def test_an_entry_that_can_never_be_sent_is_for_an_operator() -> None:
    with pytest.raises(ConfigurationError, match="Fault"):
        control(PartlyFailing([["0"]], sender_fault=True)).send(wakes(1))


def test_a_batch_has_at_most_ten_entries_and_a_delay_is_rounded_up() -> None:
    sqs = PartlyFailing([])
    control(sqs).send(wakes(25), delay_ms=1_001)
    assert (sqs.largest_batch, len(sqs.taken), sqs.delays) == (10, 25, {2})


def test_a_delay_beyond_what_sqs_allows_is_refused_before_anything_is_sent() -> None:
    sqs = PartlyFailing([])
    with pytest.raises(ValueError, match="at most 900000 ms"):
        control(sqs).send(wakes(1), delay_ms=MAX_DELAY_MS + 1)
    assert sqs.taken == []


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [
        ("RequestThrottled", 400, StoreUnavailable),
        ("InternalError", 500, StoreUnavailable),
        ("AccessDenied", 403, ClientError),
    ],
)
def test_a_passing_fault_is_told_from_a_refusal(code: str, status: int, raised: type[Exception]) -> None:
    sqs = boto3.client("sqs")
    with Stubber(sqs) as stub:
        stub.add_client_error("send_message_batch", service_error_code=code, http_status_code=status)
        with pytest.raises(raised):
            control(sqs).send(wakes(1))


def test_a_queue_is_named_within_what_sqs_allows_and_what_policies_are_limited_to(aws: AwsQueues) -> None:
    for org, queue in [("acme", "default"), ("a.b", "c.d"), ("o" * 128, "q" * 128)]:
        name = aws.tasks.name(OrgId(org), queue)
        assert re.fullmatch(r"stack-task-[A-Za-z0-9_-]{1,69}", name)


@pytest.mark.parametrize("prefix", ["", "p" * 51])
def test_a_prefix_that_leaves_no_room_for_a_name_is_refused(aws: AwsQueues, prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="prefix"):
        SqsTaskQueue(aws.sqs, prefix)


def test_a_queue_is_created_once_and_its_url_remembered(aws: AwsQueues) -> None:
    calls: list[str] = []
    aws.sqs.meta.events.register("before-call.sqs.*", lambda model, **_: calls.append(model.name))
    for position in range(3):
        aws.tasks.send(ACME, "default", [task(position)])
    assert calls == ["GetQueueUrl", "CreateQueue", *["SendMessageBatch"] * 3]
    assert SqsTaskQueue(aws.sqs, PREFIX).receive(ACME, "default", limit=3, wait_s=0)
    assert calls[-2:] == ["GetQueueUrl", "ReceiveMessage"]


def test_a_queue_that_an_operator_deleted_is_created_again(aws: AwsQueues) -> None:
    aws.tasks.send(ACME, "default", [task(1)])
    url = aws.sqs.get_queue_url(QueueName=aws.tasks.name(ACME, "default"))["QueueUrl"]
    aws.sqs.delete_queue(QueueUrl=url)
    aws.tasks.send(ACME, "default", [task(2)])
    received = aws.tasks.receive(ACME, "default", limit=10, wait_s=0)
    assert [one.message for one in received] == [task(2)]


def test_a_queue_deleted_less_than_a_minute_ago_is_waited_for() -> None:
    sqs = boto3.client("sqs")
    with Stubber(sqs) as stub:
        stub.add_client_error("get_queue_url", service_error_code="AWS.SimpleQueueService.NonExistentQueue")
        stub.add_client_error("create_queue", service_error_code="AWS.SimpleQueueService.QueueDeletedRecently")
        with pytest.raises(StoreUnavailable, match="deleted less than a minute ago"):
            SqsTaskQueue(sqs, PREFIX).send(ACME, "default", [task(1)])


def test_old_messages_leave_a_queue_that_nobody_serves_because_the_sweep_sends_them_again(aws: AwsQueues) -> None:
    aws.tasks.send(ACME, "default", [task(1)])
    url = aws.sqs.get_queue_url(QueueName=aws.tasks.name(ACME, "default"))["QueueUrl"]
    attributes = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert 600 < int(attributes["MessageRetentionPeriod"]) <= 86_400
    assert attributes["SqsManagedSseEnabled"] == "true"


def test_with_a_key_of_their_own_queues_are_made_with_it_and_not_with_sqss(aws: AwsQueues) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    asked: list[dict[str, str]] = []
    aws.sqs.meta.events.register(
        "provide-client-params.sqs.CreateQueue", lambda params, **_: asked.append(params["Attributes"])
    )
    SqsTaskQueue(aws.sqs, PREFIX, kms_key_arn=key).send(ACME, "default", [task(1)])
    (attributes,) = asked
    assert attributes["KmsMasterKeyId"] == key
    assert "SqsManagedSseEnabled" not in attributes


@pytest.mark.parametrize("body", ["no json", dump(wakes(1)[0]), dump(task(1, org=OTHER))])
def test_a_message_that_is_no_task_of_the_org_is_dropped_and_not_returned(aws: AwsQueues, body: str) -> None:
    aws.tasks.send(ACME, "default", [task(1)])
    url = aws.sqs.get_queue_url(QueueName=aws.tasks.name(ACME, "default"))["QueueUrl"]
    aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    received = aws.tasks.receive(ACME, "default", limit=10, wait_s=0)
    assert [one.message for one in received] == [task(1)]
    aws.advance(60_001)
    left = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [load(message["Body"]) for message in left] == [task(1)]


def test_a_wait_is_a_long_poll_of_at_most_twenty_whole_seconds() -> None:
    sqs = boto3.client("sqs")
    with Stubber(sqs) as stub:
        stub.add_response("get_queue_url", {"QueueUrl": URL})
        for whole_s in (20, 20, 1, 0):
            stub.add_response(
                "receive_message", {}, {"QueueUrl": URL, "MaxNumberOfMessages": 10, "WaitTimeSeconds": whole_s}
            )
        queue = SqsTaskQueue(sqs, PREFIX)
        for wait_s, limit in ((19.9, 10), (25.0, 50), (0.5, 10), (0.0, 10)):
            assert queue.receive(ACME, "default", limit=limit, wait_s=wait_s) == []
        stub.assert_no_pending_responses()
