"""`TableStream`: DynamoDB Streams' part. Hands every commit to the projector, in order, behind the writer's back."""

from __future__ import annotations

import base64
import logging
import queue
import threading

from flowstrand.jsonvalue import JsonObject
from flowstrand.local.functions import Functions
from flowstrand.log.port import Commit

_ATTEMPTS = 3
_RETRY_S = 0.5

_logger = logging.getLogger("flowstrand.local")


class TableStream:
    """A thread that invokes the projector with each commit that `publish` was given.

    A commit that the projector keeps refusing is dropped with a log line, and what is lost with the process is lost:
    the sweep wakes every open execution anyway.
    """

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._commits: queue.SimpleQueue[Commit | None] = queue.SimpleQueue()
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
            commit = self._commits.get()
            if commit is not None:
                self._deliver({"Records": [stream_record(commit)]})

    def _deliver(self, event: JsonObject) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._functions.invoke("projector", event)
            except Exception:
                _logger.exception("the projector failed, attempt %d", attempt)
            else:
                if not (answer or {}).get("batchItemFailures"):
                    return
            self._stopping.wait(_RETRY_S)


def stream_record(commit: Commit) -> JsonObject:
    """A commit as the log table's stream shows it to Lambda: a new image, binary attributes in base 64."""
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
            "SequenceNumber": str(commit.sequence),
            "SizeBytes": len(commit.events),
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:local:000000000000:table/flowstrand-log/stream/local",
    }
