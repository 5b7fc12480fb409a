"""`Pump`: what Lambda does between queues or streams and functions, as the template's event source mappings say.

Messages are received from SQS and deleted when they are dealt with; records are read from the tables' streams, in order, and read
again from the first that failed. One batch after the other; nothing is delivered that was not sent.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.lambdas.function import FunctionError
from tests.lambdas.stack import REGION, DeployedStack
from tests.unit.template import resources, template

_GIVEN_UP_S = 240.0


class Pump:
    """Delivers to the functions of one stack.

    Attributes:
        failures: of invocations that failed as a whole; their messages come again when their time is over.
    """

    def __init__(self, stack: DeployedStack) -> None:
        self._stack = stack
        self.failures: list[FunctionError] = []
        mappings = resources("AWS::Lambda::EventSourceMapping").values()
        self._sources = [_source(stack, mapping) for mapping in mappings]

    def run_until(self, is_done: Callable[[], bool]) -> None:
        """Deliver until it is.

        Raises:
            TimeoutError: it never was.
        """
        deadline = time.monotonic() + _GIVEN_UP_S
        while not is_done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing more happens; failed: {self.failures}")
            if not self.step():
                self.step(wait_s=1)

    def step(self, *, wait_s: int = 0) -> int:
        """Deliver one batch of each source; how many records that were.

        Args:
            wait_s: how long the first queue may wait for one.
        """
        delivered = 0
        for source in self._sources:
            try:
                delivered += source.deliver(wait_s if not delivered else 0)
            except FunctionError as error:
                self.failures.append(error)
                delivered += 1
        return delivered


class _Queue:
    """A queue and its function."""

    def __init__(self, stack: DeployedStack, function: str, name: str, batch_size: int) -> None:
        self._sqs, self._function, self._stack = stack.sqs, function, stack
        self._url = stack.attribute(name)
        self._arn = stack.attribute(name, "Arn")
        self._batch_size = min(10, batch_size)

    def deliver(self, wait_s: int) -> int:
        messages: Sequence[Any] = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=wait_s,
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return 0
        event = {"Records": [self._record(message) for message in messages]}
        answer = self._stack.function(self._function).invoke(event)
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def _record(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }


class _Stream:
    """A table's stream, from its beginning, and its function."""

    def __init__(
        self, stack: DeployedStack, function: str, arn: str, batch_size: int, patterns: Sequence[Any]
    ) -> None:
        self._client = stack.on.client("dynamodbstreams")
        self._stack, self._function, self._arn = stack, function, arn
        self._batch_size, self._patterns = batch_size, patterns
        [shard] = self._client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._shard = shard["ShardId"]
        self._iterator = self._from({"ShardIteratorType": "TRIM_HORIZON"})

    def deliver(self, wait_s: int) -> int:
        read = self._client.get_records(ShardIterator=self._iterator, Limit=self._batch_size)
        self._iterator = read["NextShardIterator"]
        records = [
            _plain(record) | {"eventSourceARN": self._arn, "awsRegion": REGION} for record in read["Records"]
        ]
        wanted = [one for one in records if not self._patterns or any(matches(p, one) for p in self._patterns)]
        if not wanted:
            return 0
        answer = self._stack.function(self._function).invoke({"Records": wanted})
        failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        if failed:
            again = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": min(failed, key=int)}
            self._iterator = self._from(again)
        return len(wanted)

    def _from(self, where: Mapping[str, str]) -> str:
        answer = self._client.get_shard_iterator(StreamArn=self._arn, ShardId=self._shard, **where)
        iterator: str = answer["ShardIterator"]
        return iterator


def _source(stack: DeployedStack, mapping: Mapping[str, Any]) -> _Queue | _Stream:
    function = template()["Resources"][mapping["FunctionName"]["Ref"]]["Properties"]["CodeUri"]
    name = function.removeprefix("functions/")
    resource, _, attribute = mapping["EventSourceArn"]["Fn::GetAtt"].partition(".")
    size = int(mapping["BatchSize"])
    if attribute == "Arn":
        return _Queue(stack, name, resource, size)
    filters = mapping.get("FilterCriteria", {}).get("Filters", [])
    return _Stream(stack, name, stack.attribute(resource, attribute), size, [one["Pattern"] for one in filters])


def matches(pattern: Any, value: Any) -> bool:
    """Whether a filter's pattern, or its JSON, lets a record through: literal values and prefixes, which is what the template has."""
    match pattern:
        case str():
            return matches(json.loads(pattern), value)
        case dict():
            return isinstance(value, dict) and all(
                key in value and _any_matches(wanted, value[key]) for key, wanted in pattern.items()
            )
        case _:
            raise NotImplementedError(f"{pattern!r}")


def _any_matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return matches(wanted, value)
    return any(_is(one, value) for one in wanted)


def _is(rule: Any, value: Any) -> bool:
    match rule:
        case {"prefix": str(prefix)}:
            return isinstance(value, str) and value.startswith(prefix)
        case str() | int() | None:
            return bool(rule == value)
        case _:
            raise NotImplementedError(f"{rule!r}")


def _plain(value: Any) -> Any:
    """A record as Lambda puts it into JSON: binary values in base 64, times in epoch seconds."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return value.timestamp()
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value
