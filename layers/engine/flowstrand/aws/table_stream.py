"""Records of the tables' streams: what each new commit and inbox item asks for, and whether a commit was changed.

A new commit gets its safety wake (law 8: a handler that dies between its write and its sends leaves nobody else who knows),
and its log is projected, together with the others of the batch. A changed commit is examined (law 1).

A batch is handled to its end whatever fails in it. Of a stream, Lambda delivers again everything from the first record that
failed, so what was handled behind that comes twice; all of it may.
"""

from __future__ import annotations

import base64
import logging
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from itertools import takewhile
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from flowstrand.aws import commit_changes
from flowstrand.engine.events import Event, Family
from flowstrand.engine.ids import is_channel_log
from flowstrand.errors import LogCorrupted
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.observability import correlation, meter, metrics
from flowstrand.service import facts, safety
from flowstrand.service.container import Services
from flowstrand.service.projection import project

_INBOX = "inbox#"
"""What the partitions of inboxes begin with; the log's key follows. The event source mapping filters by it, too."""

_IMPORTED_MS = 600_000
"""How much older than its record a commit is that has not been written by anybody's decision, but by an import."""

_logger = logging.getLogger("flowstrand.projector")


def handle_records(services: Services, event: Mapping[str, Any]) -> dict[str, Any]:
    """Handle every record of a DynamoDB stream event.

    Returns:
        `{"batchItemFailures": [...]}` for those to be delivered again, in the stream's order.
    """
    grown = _Grown()

    def handle(record: DynamoDBRecord) -> None:
        with correlation.about(messageId=record.event_id):
            try:
                _handle(services, record.raw_event, grown)
            except Exception:
                _logger.exception("a stream record failed")
                raise

    processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)
    answer = process_partial_response(dict(event), handle, processor)
    failed = {str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
    failed |= grown.project(services)
    in_order = dict.fromkeys(record["dynamodb"]["SequenceNumber"] for record in event["Records"])
    grown.count_until(in_order, failed)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in in_order if number in failed]}


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


class _Grown:
    """The logs that have grown, as the records of one batch tell it."""

    def __init__(self) -> None:
        self._ends: dict[LogKey, int] = {}
        self._told_by: defaultdict[LogKey, list[str]] = defaultdict(list)
        self._facts: dict[str, tuple[Event, ...]] = {}
        self._new: list[Commit] = []

    def tell(self, commit: Commit, events: tuple[Event, ...], sequence_number: str) -> None:
        """The record with this number is a commit's that has been written just now, and this is what it holds."""
        self._facts[sequence_number] = events
        self._new.append(commit)

    def count_until(self, in_order: Iterable[str], failed: Container[str]) -> None:
        """Count what commits say, but for those that come again: the first that failed, and whatever is behind it."""
        for number in takewhile(lambda number: number not in failed, in_order):
            facts.count(self._facts.get(number, ()))

    def note(self, key: LogKey, end: int, sequence_number: str) -> None:
        """The log reaches `end`, as the record with this number tells."""
        self._ends[key] = max(end, self._ends.get(key, 0))
        self._told_by[key].append(sequence_number)

    def project(self, services: Services) -> set[str]:
        """Project all of them; the numbers of the records whose logs could not be."""
        failures = project(services, self._ends)
        for key, error in failures.items():
            with correlation.about(org=key.org, executionId=key.execution_id):
                _logger.error("a log was not projected", exc_info=error)
        now_ms = services.clock.now_ms()
        for commit in self._new:
            if commit.key not in failures:
                meter.record(metrics.PROJECTION_LAG, max(0, now_ms - commit.written_at_ms))
        return {number for key in failures for number in self._told_by[key]}


def _handle(services: Services, record: Mapping[str, Any], grown: _Grown) -> None:
    change = record["dynamodb"]
    if "partition" in change["Keys"]:
        _handle_item(services, record["eventName"], change["Keys"]["partition"]["S"])
    elif record["eventName"] == "INSERT":
        _handle_commit(services, change, grown)
    else:
        commit_changes.examine(services, record)


def _handle_commit(services: Services, change: Mapping[str, Any], grown: _Grown) -> None:
    """A new commit. Of one that cannot be read, it is known at least whose it is, and the log may be sound.

    A channel's holds no events: nobody is woken by it, and neither the feed nor the listing has a place for it.
    """
    key, sequence = LogKey.parse(change["Keys"]["execution"]["S"]), int(change["Keys"]["sequence"]["N"])
    correlation.note(org=key.org, executionId=key.execution_id, sequence=sequence)
    if is_channel_log(key.execution_id):
        return
    number = change["SequenceNumber"]
    try:
        commit = commit_of(change["NewImage"])
        events = unpack_events(commit)
    except LogCorrupted:
        grown.note(key, sequence, number)
        raise
    if any(event.family is not Family.STREAM for event in events):
        grown.note(key, commit.last_sequence, number)
        if not _was_imported(change, commit):
            grown.tell(commit, events, number)
        safety.on_commit(services, commit, events)


def _was_imported(change: Mapping[str, Any], commit: Commit) -> bool:
    """Whether the commit is much older than its record, and so tells of what happened elsewhere, long ago."""
    inserted_s = change.get("ApproximateCreationDateTime")
    return isinstance(inserted_s, int | float) and inserted_s * 1_000 - commit.written_at_ms > _IMPORTED_MS


def _handle_item(services: Services, change: str, partition: str) -> None:
    """A row of the directory: only a new inbox item matters."""
    if change != "INSERT" or not partition.startswith(_INBOX):
        return
    safety.on_inbox_item(services, LogKey.parse(partition.removeprefix(_INBOX)))
