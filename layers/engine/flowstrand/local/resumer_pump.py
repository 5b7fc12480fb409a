"""`ResumerPump`: SQS's part. Hands control messages to the resumer, and lets those it failed come again."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Sequence
from typing import Any

from flowstrand.jsonvalue import JsonObject
from flowstrand.local.functions import Functions
from flowstrand.queues import messages
from flowstrand.queues.in_process import InProcessControlQueue, Received

_THREADS = 4
_WAIT_S = 5.0
_FIRST_RETRY_MS, _LONGEST_RETRY_MS = 200, 30_000

_logger = logging.getLogger("flowstrand.local")


class ResumerPump:
    """Threads that receive one message at a time and invoke the resumer with it, and one that renews their messages."""

    def __init__(self, queue: InProcessControlQueue, functions: Functions, *, visibility_ms: int) -> None:
        """`visibility_ms` is the queue's: while a message is being handled it is renewed at a third of that."""
        self._queue = queue
        self._functions = functions
        self._visibility_ms = visibility_ms
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._handling: set[Received] = set()
        self._receivers = [
            threading.Thread(target=self._run, name=f"resumer-{index}", daemon=True) for index in range(_THREADS)
        ]
        self._renewer = threading.Thread(target=self._renew, name="resumer-renewer", daemon=True)

    def start(self) -> None:
        """Begin to receive."""
        for thread in [*self._receivers, self._renewer]:
            thread.start()

    def stop(self, timeout_s: float) -> None:
        """Receive no more, and wait up to `timeout_s` for what is being handled."""
        self._stopping.set()
        self._queue.close()
        for thread in self._receivers:
            thread.join(timeout_s / _THREADS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for received in self._queue.receive(1, _WAIT_S):
                self._handle(received)

    def _handle(self, received: Received) -> None:
        with self._lock:
            self._handling.add(received)
        is_done = self._invoke(received)
        with self._lock:
            self._handling.discard(received)
        if is_done:
            self._queue.acknowledge(received)
        else:
            self._queue.release(received, delay_ms=backoff_ms(received.receive_count))

    def _invoke(self, received: Received) -> bool:
        """Whether the resumer took the message."""
        record = sqs_record(received)
        try:
            answer = self._functions.invoke("resumer", {"Records": [record]})
        except Exception:
            _logger.exception("the resumer failed on %s", record["body"])
            return False
        return record["messageId"] not in failed_items(answer)

    def _renew(self) -> None:
        """Keep messages invisible for as long as they are being handled."""
        while not self._stopping.wait(self._visibility_ms / 3_000):
            with self._lock:
                for received in self._handling:
                    self._queue.release(received, delay_ms=self._visibility_ms)


def sqs_record(received: Received) -> JsonObject:
    """A message as the resumer's event source delivers it."""
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": received.receipt,
        "body": messages.dump(received.message),
        "attributes": {"ApproximateReceiveCount": str(received.receive_count)},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:local:000000000000:flowstrand-wakes",
        "awsRegion": "local",
    }


def failed_items(answer: Any) -> frozenset[str]:
    """The message ids that a partial batch response reports."""
    failures: Sequence[dict[str, str]] = (answer or {}).get("batchItemFailures") or ()
    return frozenset(failure["itemIdentifier"] for failure in failures)


def backoff_ms(receive_count: int) -> int:
    """How long a failed message stays away: doubling, up to half a minute."""
    return int(min(_LONGEST_RETRY_MS, _FIRST_RETRY_MS * 2 ** min(receive_count - 1, 20)))
