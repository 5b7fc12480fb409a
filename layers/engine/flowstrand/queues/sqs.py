"""Queues on SQS: one standard queue for control messages, one per org and queue name for tasks."""

from __future__ import annotations

import hashlib
import logging
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError, InvalidInput, StoreUnavailable
from flowstrand.queues.messages import ControlMessage, TaskMessage, dump, load
from flowstrand.queues.port import ReceivedTask

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

MAX_DELAY_MS = 900_000
"""SQS delays no message by more than 15 minutes."""

_BATCH = 10
_MAX_WAIT_S = 20
_BATCH_ATTEMPTS = 4
_MAX_NAME = 80
_MAX_PREFIX = 50
_DIGEST = 20
_MISSING_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_DELETED_RECENTLY = frozenset({"AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"})
_TASK_QUEUE_ATTRIBUTES: dict[QueueAttributeNameType, str] = {
    "VisibilityTimeout": "60",
    # Short on purpose. The sweep sends every unclaimed attempt again, so nothing is lost with an old message, and a
    # queue that nobody serves holds a bounded number of repetitions.
    "MessageRetentionPeriod": "7200",
}

_logger = logging.getLogger(__name__)
T = TypeVar("T")


class SqsControlQueue:
    """A `ControlQueue`. The resumer's event source mapping receives from it."""

    def __init__(self, client: SQSClient, url: str) -> None:
        """`url` is of a standard queue that exists."""
        self._client = client
        self._url = url

    def send(self, messages: Sequence[ControlMessage], *, delay_ms: int = 0) -> None:
        """Send all, in batches of ten; a delay is rounded up to a whole second."""
        with unavailable_on_faults("send to the control queue"):
            _send_all(self._client, self._url, [dump(message) for message in messages], delay_ms)


class SqsStackQueue:
    """A `StackQueue`. The event source mapping of the stack's own worker receives from it."""

    def __init__(self, client: SQSClient, url: str) -> None:
        """`url` is of a standard queue that exists."""
        self._client = client
        self._url = url

    def send(self, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        """Send all, in batches of ten; a delay is rounded up to a whole second."""
        with unavailable_on_faults("send to the stack's own task queue"):
            _send_all(self._client, self._url, [dump(message) for message in messages], delay_ms)


class SqsTaskQueue:
    """A `TaskQueue` of one SQS queue per org and queue name, created when first named.

    SQS has no priorities: messages carry theirs, and it changes nothing.
    """

    def __init__(self, client: SQSClient, prefix: str, *, kms_key_arn: str | None = None) -> None:
        """`prefix` begins the name of every queue; what policies are limited by.

        Args:
            kms_key_arn: what queues that are made from now on are encrypted with; without it, SQS's own key.

        Raises:
            ConfigurationError: `prefix` leaves no room for the rest of a name.
        """
        if not 0 < len(prefix) <= _MAX_PREFIX:
            raise ConfigurationError(f"a task queue prefix has 1 to {_MAX_PREFIX} characters, not {prefix!r}")
        self._client = client
        self._prefix = prefix
        self._attributes = _TASK_QUEUE_ATTRIBUTES | _encryption(kms_key_arn)
        self._urls: dict[str, str] = {}

    def send(self, org: OrgId, queue: str, messages: Sequence[TaskMessage], *, delay_ms: int = 0) -> None:
        """Send all, in batches of ten; a delay is rounded up to a whole second."""
        bodies = [dump(message) for message in messages]
        if bodies:
            self._call(org, queue, lambda url: _send_all(self._client, url, bodies, delay_ms))

    def receive(self, org: OrgId, queue: str, *, limit: int, wait_s: float) -> Sequence[ReceivedTask]:
        """Up to `limit` (at most 10) messages; the wait is a long poll of whole seconds, rounded up, at most 20."""
        answer = self._call(
            org,
            queue,
            lambda url: self._client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(limit, _BATCH),
                # Rounded up: SQS answers at once to a wait of 0, and what is left of a second would be spent asking again.
                WaitTimeSeconds=min(math.ceil(wait_s), _MAX_WAIT_S),
            ),
        )
        found = (self._parsed(org, queue, message) for message in answer.get("Messages", []))
        return [received for received in found if received is not None]

    def delete(self, org: OrgId, queue: str, received: ReceivedTask) -> None:
        """The message is dealt with."""
        self._delete(org, queue, received.receipt)

    def release(self, org: OrgId, queue: str, received: ReceivedTask, *, delay_ms: int = 0) -> None:
        """Give the message back: it can be received again after `delay_ms`, rounded up to a whole second."""
        self._call(
            org,
            queue,
            lambda url: self._client.change_message_visibility(
                QueueUrl=url, ReceiptHandle=received.receipt, VisibilityTimeout=_whole_seconds(delay_ms)
            ),
        )

    def name(self, org: OrgId, queue: str) -> str:
        """The SQS queue's name, at most 80 of the characters SQS allows.

        The digest tells apart what the readable part cannot: org `a-b` with queue `c` is not org `a` with queue `b-c`.
        """
        digest = hashlib.sha256(f"{org}#{queue}".encode()).hexdigest()[:_DIGEST]
        readable = re.sub(r"[^A-Za-z0-9_-]", "_", f"{self._prefix}-{org}-{queue}")
        return f"{readable[: _MAX_NAME - _DIGEST - 1]}-{digest}"

    def _call(self, org: OrgId, queue: str, call: Callable[[str], T]) -> T:
        """Do `call` with the queue's URL, creating the queue again if it has been deleted meanwhile."""
        name = self.name(org, queue)
        with unavailable_on_faults(f"use the task queue {name}"):
            try:
                return call(self._url(name))
            except ClientError as error:
                if error_code(error) not in _MISSING_QUEUE:
                    raise
                self._urls.pop(name, None)
                return call(self._url(name))

    def _url(self, name: str) -> str:
        if name not in self._urls:
            self._urls[name] = self._find(name) or self._create(name)
        return self._urls[name]

    def _find(self, name: str) -> str | None:
        try:
            return self._client.get_queue_url(QueueName=name)["QueueUrl"]
        except ClientError as error:
            if error_code(error) in _MISSING_QUEUE:
                return None
            raise

    def _create(self, name: str) -> str:
        try:
            return self._client.create_queue(QueueName=name, Attributes=self._attributes)["QueueUrl"]
        except ClientError as error:
            if error_code(error) in _DELETED_RECENTLY:
                raise StoreUnavailable(f"{name} was deleted less than a minute ago") from error
            raise

    def _delete(self, org: OrgId, queue: str, receipt: str) -> None:
        self._call(org, queue, lambda url: self._client.delete_message(QueueUrl=url, ReceiptHandle=receipt))

    def _parsed(self, org: OrgId, queue: str, message: MessageTypeDef) -> ReceivedTask | None:
        """The task message in `message`; anything else is deleted, for it would come again for ever."""
        receipt = message["ReceiptHandle"]
        try:
            task = load(message["Body"])
        except InvalidInput as error:
            task, reason = None, error.message
        else:
            reason = "not a task of this org"
        if isinstance(task, TaskMessage) and task.org == org:
            return ReceivedTask(message=task, receipt=receipt)
        _logger.error("dropped a message from the task queue %s of org %s: %s", queue, org, reason)
        self._delete(org, queue, receipt)
        return None


def _send_all(client: SQSClient, url: str, bodies: Sequence[str], delay_ms: int) -> None:
    """Raises `ValueError` for a delay beyond `MAX_DELAY_MS`, `StoreUnavailable` if something may not have been sent."""
    if delay_ms > MAX_DELAY_MS:
        raise ValueError(f"SQS delays by at most {MAX_DELAY_MS} ms, not {delay_ms}")
    delay_s = _whole_seconds(delay_ms)
    for start in range(0, len(bodies), _BATCH):
        batch = bodies[start : start + _BATCH]
        _send_batch(
            client,
            url,
            [{"Id": str(index), "MessageBody": body, "DelaySeconds": delay_s} for index, body in enumerate(batch)],
        )


def _encryption(kms_key_arn: str | None) -> dict[QueueAttributeNameType, str]:
    return {"SqsManagedSseEnabled": "true"} if kms_key_arn is None else {"KmsMasterKeyId": kms_key_arn}


def _whole_seconds(delay_ms: int) -> int:
    return max(0, -(-delay_ms // 1_000))


def _send_batch(client: SQSClient, url: str, entries: list[SendMessageBatchRequestEntryTypeDef]) -> None:
    """A batch may fail in part, with status 200, so botocore does not retry it: what failed is sent again here."""
    pending = entries
    for _ in range(_BATCH_ATTEMPTS):
        failed = client.send_message_batch(QueueUrl=url, Entries=pending).get("Failed", [])
        if not failed:
            return
        for failure in failed:
            if failure["SenderFault"]:
                raise ConfigurationError(f"SQS refused a message: {failure['Code']} {failure.get('Message', '')}")
        again = {failure["Id"] for failure in failed}
        pending = [entry for entry in pending if entry["Id"] in again]
    raise StoreUnavailable(f"SQS did not take {len(pending)} of {len(entries)} messages")
