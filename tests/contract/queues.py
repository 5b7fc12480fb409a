"""The two sets of queues that the contract runs over, each with a way to move its time and to look at what was sent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import boto3
import pytest
from moto import mock_aws

from flowstrand.queues.in_process import InProcessControlQueue, InProcessTaskQueue
from flowstrand.queues.messages import ControlMessage, Due, ScheduleDue, Wake, load
from flowstrand.queues.port import ControlQueue, TaskQueue, Timers
from flowstrand.queues.sqs import SqsControlQueue, SqsTaskQueue
from flowstrand.timers.aws import AwsTimers
from flowstrand.timers.in_process import InProcessTimers
from tests.unit.manual_clock import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_scheduler.client import EventBridgeSchedulerClient
    from mypy_boto3_sqs.client import SQSClient

VISIBILITY_MS = 60_000
PREFIX = "stack-task"
GROUP = "timers"
ROLE_ARN = "arn:aws:iam::123456789012:role/timers"


class Queues(Protocol):
    """One adapter set."""

    @property
    def control(self) -> ControlQueue: ...

    @property
    def tasks(self) -> TaskQueue: ...

    @property
    def timers(self) -> Timers: ...

    def now_ms(self) -> int:
        """What the set's clock reads."""
        ...

    def advance(self, duration_ms: int) -> None:
        """Let time pass."""
        ...

    def control_messages(self) -> Sequence[ControlMessage]:
        """What the resumer could receive now; each is acknowledged."""
        ...


class InProcessQueues:
    """Everything in memory."""

    def __init__(self) -> None:
        self._clock = ManualClock()
        self.control = InProcessControlQueue(self._clock, VISIBILITY_MS)
        self.tasks = InProcessTaskQueue(self._clock, visibility_ms=VISIBILITY_MS)
        self.timers = InProcessTimers(self._clock, self.control)

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def advance(self, duration_ms: int) -> None:
        self._clock.advance(duration_ms)

    def control_messages(self) -> Sequence[ControlMessage]:
        received = self.control.receive(1_000, 0)
        for one in received:
            self.control.acknowledge(one)
        return [one.message for one in received]


class AwsQueues:
    """SQS and EventBridge Scheduler on moto, whose clock the tests move."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.sqs: SQSClient = boto3.client("sqs")
        self.scheduler: EventBridgeSchedulerClient = boto3.client("scheduler")
        self._clock = ManualClock(time.time_ns() // 1_000_000)
        patch.setattr("moto.sqs.models.unix_time_millis", lambda: float(self._clock.now_ms()))
        patch.setattr("moto.sqs.models.unix_time", lambda: self._clock.now_ms() / 1_000)
        self._url = self.sqs.create_queue(QueueName="control")["QueueUrl"]
        self.scheduler.create_schedule_group(Name=GROUP)
        self.control = SqsControlQueue(self.sqs, self._url)
        self.tasks = SqsTaskQueue(self.sqs, PREFIX)
        self.timers = self.timers_with(dead_letters_arn=None)

    def timers_with(self, *, dead_letters_arn: str | None) -> AwsTimers:
        return AwsTimers(
            self.control,
            self.scheduler,
            GROUP,
            self.control_arn,
            ROLE_ARN,
            self._clock,
            dead_letters_arn=dead_letters_arn,
        )

    @property
    def control_arn(self) -> str:
        return "arn:aws:sqs:eu-central-1:123456789012:control"

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def advance(self, duration_ms: int) -> None:
        self._clock.advance(duration_ms)

    def control_messages(self) -> Sequence[ControlMessage]:
        messages: list[ControlMessage] = []
        while received := self.sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for one in received:
                self.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=one["ReceiptHandle"])
                message = load(one["Body"])
                assert isinstance(message, Wake | Due | ScheduleDue)
                messages.append(message)
        return messages


@contextmanager
def aws_queues() -> Iterator[AwsQueues]:
    """A set on a moto of its own."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        yield AwsQueues(patch)


@contextmanager
def queues_named(name: str) -> Iterator[Queues]:
    """The set called `in-process` or `aws`."""
    if name == "in-process":
        yield InProcessQueues()
        return
    with aws_queues() as queues:
        yield queues
