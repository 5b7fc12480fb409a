"""`TableStream`: DynamoDB Streams' part. Hands every commit to the projector, in order, behind the writer's back."""

from __future__ import annotations

import base64
import itertools
import logging
import queue
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.local.functions import Functions
from flowstrand.log.port import Commit

_BATCH = 100
"""Commits that one invocation gets, at most, as in AWS."""
_ATTEMPTS = 3
_RETRY_S = 0.5

_logger = logging.getLogger("flowstrand.local")


class TableStream:
    """A thread that invokes the projector with the commits that `publish` was given, as many at once as there are.

    Commits that the projector keeps refusing are dropped with a log line, and what is lost with the process is lost: the
    sweep wakes every open execution anyway, and projects what has not been.
    """

    def __init__(
        self, functions: Functions, on_delivered: Callable[[Collection[OrgId]], None] | None = None
    ) -> None:
        """`on_delivered` is told whose commits the projector has seen."""
        self._functions = functions
        self._on_delivered = on_delivered
        self._commits: queue.SimpleQueue[Commit | None] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="table-stream", daemon=True)

    def publish(self, commit: Commit) -> None:
        """The commit is durable."""
        self._commits.put(commit)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Deliver no more."""
        self._stopping.set()
        self._commits.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if commits := self._next_batch():
                self._deliver([stream_record(commit, next(self._numbers)) for commit in commits])
                self._tell({commit.key.org for commit in commits})

    def _tell(self, orgs: Collection[OrgId]) -> None:
        if self._on_delivered is None:
            return
        try:
            self._on_delivered(orgs)
        except Exception:  # whoever follows a feed looks again by itself
            _logger.warning("nobody was told that feeds have grown", exc_info=True)

    def _next_batch(self) -> list[Commit]:
        """Waits for a commit, and takes those behind it that are there."""
        batch = [self._commits.get()]
        with suppress(queue.Empty):
            while len(batch) < _BATCH:
                batch.append(self._commits.get_nowait())
        return [commit for commit in batch if commit is not None]

    def _deliver(self, records: Sequence[JsonObject]) -> None:
        """Deliver again what was refused, and only that: the next batch may hold what comes behind it in the same log."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._functions.invoke("projector", {"Records": list(records)})
            except Exception:
                _logger.exception("the projector failed, attempt %d", attempt)
            else:
                refused = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
                records = [record for record in records if _number_of(record) in refused]
                if not records:
                    return
            self._stopping.wait(_RETRY_S)
        _logger.error("the projector refused %d commits; the next sweep sees to them", len(records))


def _number_of(record: JsonObject) -> JsonValue:
    change = record["dynamodb"]
    return change["SequenceNumber"] if isinstance(change, dict) else None


def stream_record(commit: Commit, number: int | None = None) -> JsonObject:
    """A commit as the log table's stream shows it to Lambda: a new image, binary attributes in base 64.

    Args:
        number: its place in the stream; where there is but one log, the commit's sequence will do.
    """
    keys: JsonObject = {"execution": {"S": str(commit.key)}, "sequence": {"N": str(commit.sequence)}}
    image: JsonObject = {
        **keys,
        "count": {"N": str(commit.count)},
        "events": {"B": base64.b64encode(commit.events).decode()},
        "written_at": {"N": str(commit.written_at_ms)},
        "commit_id": {"S": commit.commit_id},
    }
    if commit.checkpoint is not None:
        image["checkpoint"] = {"B": base64.b64encode(commit.checkpoint).decode()}
    if commit.checkpoint_at is not None:
        image["checkpoint_at"] = {"N": str(commit.checkpoint_at)}
    return {
        "eventID": commit.commit_id,
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "local",
        "dynamodb": {
            "ApproximateCreationDateTime": commit.written_at_ms / 1_000,
            "Keys": keys,
            "NewImage": image,
            "SequenceNumber": str(commit.sequence if number is None else number),
            "SizeBytes": len(commit.events),
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:local:000000000000:table/flowstrand-log/stream/local",
    }
