"""Timers on AWS: SQS delays up to 15 minutes, one-time schedules of EventBridge Scheduler beyond."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.queues.messages import Timed, dump
from flowstrand.queues.port import ControlQueue
from flowstrand.queues.sqs import MAX_DELAY_MS
from flowstrand.service.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_scheduler.client import EventBridgeSchedulerClient
    from mypy_boto3_scheduler.type_defs import DeadLetterConfigTypeDef, TargetTypeDef

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AwsTimers:
    """`Timers` whose schedules send straight to the control queue, with no function in between.

    A schedule deletes itself once it has fired. The sweep arms open timers again; a schedule that is there already
    stays as it is.
    """

    def __init__(
        self,
        control_queue: ControlQueue,
        scheduler_client: EventBridgeSchedulerClient,
        group: str,
        target_arn: str,
        role_arn: str,
        clock: Clock,
        *,
        dead_letters_arn: str | None = None,
    ) -> None:
        """`target_arn` is the control queue's; `role_arn` is assumed by the scheduler to send to it.

        Args:
            dead_letters_arn: of the queue that gets a message which the scheduler could not send for a day; without one it
                is dropped, and made up for by the sweep.
        """
        self._control = control_queue
        self._scheduler = scheduler_client
        self._group = group
        self._target_arn = target_arn
        self._role_arn = role_arn
        self._clock = clock
        self._dead_letters: DeadLetterConfigTypeDef | None = (
            None if dead_letters_arn is None else {"Arn": dead_letters_arn}
        )

    def at(self, due: Timed, at_ms: int) -> None:
        """Send `due` at `at_ms`, rounded up to a second; beyond 15 minutes, up to a minute late."""
        delay_ms = max(0, at_ms - self._clock.now_ms())
        if delay_ms <= MAX_DELAY_MS:
            self._control.send([due], delay_ms=delay_ms)
        else:
            self._schedule(due, at_ms)

    def _schedule(self, due: Timed, at_ms: int) -> None:
        with unavailable_on_faults("schedule a timer"):
            try:
                self._scheduler.create_schedule(
                    Name=schedule_name(due, at_ms),
                    GroupName=self._group,
                    ScheduleExpression=_expression(at_ms),
                    ScheduleExpressionTimezone="UTC",
                    FlexibleTimeWindow={"Mode": "OFF"},
                    ActionAfterCompletion="DELETE",
                    Target=self._target(due),
                )
            except ClientError as error:
                if error_code(error) != "ConflictException":
                    raise

    def _target(self, due: Timed) -> TargetTypeDef:
        target: TargetTypeDef = {"Arn": self._target_arn, "RoleArn": self._role_arn, "Input": dump(due)}
        return target if self._dead_letters is None else {**target, "DeadLetterConfig": self._dead_letters}


def schedule_name(due: Timed, at_ms: int) -> str:
    """64 characters that name one message at one moment.

    A digest, because `Due.name` has no bound and a schedule's name has 64 characters. The moment is part of it: a lease
    that a heartbeat moved must not be taken for the schedule of its old end, which may still be about to delete itself.
    """
    return hashlib.sha256(f"{due.name}@{at_ms}".encode()).hexdigest()


def _expression(at_ms: int) -> str:
    moment = _EPOCH + timedelta(seconds=-(-at_ms // 1_000))
    return f"at({moment:%Y-%m-%dT%H:%M:%S})"
