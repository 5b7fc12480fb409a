"""Records of the tables' streams: each new commit and inbox item gets its safety wake; a changed commit raises an alarm.

Law 8 needs the first: a handler that dies between its write and its sends leaves nobody else who knows. Law 1 needs the
second: commits are written once.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from flowstrand.errors import LogCorrupted
from flowstrand.log.port import Commit, LogKey
from flowstrand.service import safety
from flowstrand.service.container import Services

NAMESPACE = "Flowstrand"
CHANGED_COMMITS = "ChangedCommits"
"""The metric that operators should alarm on: commits that were changed or deleted other than by expiry."""

_INBOX = "inbox#"
"""What the partitions of inboxes begin with; the log's key follows. The event source mapping filters by it, too."""

_EXPIRY = "dynamodb.amazonaws.com"
_logger = Logger(service="projector")


def handle_records(services: Services, event: Mapping[str, Any]) -> dict[str, Any]:
    """Handle every record of a DynamoDB stream event.

    Returns:
        `{"batchItemFailures": [...]}` for those to be delivered again.
    """

    def handle(record: DynamoDBRecord) -> None:
        try:
            _handle(services, record.raw_event)
        except Exception:
            _logger.exception("a stream record failed", extra={"eventId": record.event_id})
            raise

    processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(dict(event), handle, processor))


def commit_of(image: Mapping[str, Any]) -> Commit:
    """A commit from its image in a stream record.

    Raises:
        LogCorrupted: the image is not a commit's.
    """
    try:
        return Commit(
            key=LogKey.parse(image["execution"]["S"]),
            sequence=int(image["sequence"]["N"]),
            count=int(image["count"]["N"]),
            events=base64.b64decode(image["events"]["B"]),
            written_at_ms=int(image["written_at"]["N"]),
            commit_id=image["commit_id"]["S"],
            checkpoint=base64.b64decode(image["checkpoint"]["B"]) if "checkpoint" in image else None,
            checkpoint_at=int(image["checkpoint_at"]["N"]) if "checkpoint_at" in image else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LogCorrupted(f"a stream record is not a commit: {type(error).__name__}: {error}") from error


def _handle(services: Services, record: Mapping[str, Any]) -> None:
    change = record["dynamodb"]
    if "partition" in change["Keys"]:
        _handle_item(services, record["eventName"], change["Keys"]["partition"]["S"])
    elif record["eventName"] == "INSERT":
        safety.on_commit(services, commit_of(change["NewImage"]))
    elif not _has_expired(record):
        _raise_alarm(record["eventName"], change["Keys"])


def _handle_item(services: Services, change: str, partition: str) -> None:
    """A row of the directory: only a new inbox item matters."""
    if change != "INSERT" or not partition.startswith(_INBOX):
        return
    safety.on_inbox_item(services, LogKey.parse(partition.removeprefix(_INBOX)))


def _has_expired(record: Mapping[str, Any]) -> bool:
    """Whether DynamoDB itself removed the commit, at the time that the janitor had set."""
    identity = record.get("userIdentity") or {}
    return record["eventName"] == "REMOVE" and identity.get("principalId") == _EXPIRY


def _raise_alarm(change: str, keys: Mapping[str, Any]) -> None:
    _logger.critical(
        "a commit was changed",
        extra={"change": change, "execution": keys["execution"]["S"], "sequence": keys["sequence"]["N"]},
    )
    with single_metric(name=CHANGED_COMMITS, unit=MetricUnit.Count, value=1, namespace=NAMESPACE):
        pass
