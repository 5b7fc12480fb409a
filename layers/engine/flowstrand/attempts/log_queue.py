"""`LogQueue`: what an attempt has logged and nobody has taken yet. What there is no room for is dropped, and told of."""

from __future__ import annotations

import json
import threading
from collections import deque

from flowstrand.engine.schema import EpochMs, to_json
from flowstrand.engine.task_log import MAX_BATCH_RECORDS, LogLevel, LogRecord

MAX_SENT_BYTES = 64 * 1_024
"""What one batch holds at most, but for a record that alone is larger."""
MAX_QUEUED_RECORDS, MAX_QUEUED_BYTES = 2_000, 1024 * 1_024
"""What may wait before more is dropped."""
_NOTE_BYTES = 512
"""Room that the last batch keeps for a note."""


class LogQueue:
    """Records in the order in which they came. Safe to use from any thread; nothing waits.

    Where records were dropped, the next one that is taken follows a note of how many; so does the end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[tuple[LogRecord, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._dropped_at = EpochMs(0)
        self._is_last = False
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._records)

    @property
    def is_batch(self) -> bool:
        """Whether there is as much as one batch holds."""
        return len(self._records) >= MAX_BATCH_RECORDS or self._bytes >= MAX_SENT_BYTES

    @property
    def dropped(self) -> int:
        """How many records were dropped of which no note tells yet."""
        return self._dropped

    def add(self, record: LogRecord) -> None:
        """Take a record, or drop it; after `close`, ignore it."""
        size = _size(record)
        with self._lock:
            if self._is_closed:
                return
            if not self._has_room(size):
                self._drop(record)
                return
            self._note()
            self._append(record, size)

    def batch(self) -> list[LogRecord]:
        """What is to be sent next: at least one record, if there is any. It stays until it is removed."""
        batch: list[LogRecord] = []
        left = MAX_SENT_BYTES
        with self._lock:
            for record, size in self._records:
                left -= size
                if batch and (left < 0 or len(batch) == MAX_BATCH_RECORDS):
                    break
                batch.append(record)
        return batch

    def remove(self, count: int) -> None:
        """The first `count` records have been taken."""
        with self._lock:
            for _ in range(count):
                self._bytes -= self._records.popleft()[1]

    def allow_one_batch(self) -> None:
        """From now on there is room for one batch in all. Its last record tells of those that did not fit."""
        with self._lock:
            self._is_last = True
            while len(self._records) >= MAX_BATCH_RECORDS or self._bytes > MAX_SENT_BYTES - _NOTE_BYTES:
                record, size = self._records.pop()
                self._bytes -= size
                self._drop(record)

    def close(self) -> None:
        """Take no more."""
        with self._lock:
            if not self._is_closed:
                self._note()
            self._is_closed = True

    def _has_room(self, size: int) -> bool:
        if not self._is_last:
            return len(self._records) < MAX_QUEUED_RECORDS and self._bytes + size <= MAX_QUEUED_BYTES
        if self._dropped:  # of what follows the last one that fitted, none is kept
            return False
        return len(self._records) < MAX_BATCH_RECORDS - 1 and self._bytes + size <= MAX_SENT_BYTES - _NOTE_BYTES

    def _drop(self, record: LogRecord) -> None:
        self._dropped += 1
        self._dropped_at = max(self._dropped_at, record.timestamp_ms)

    def _note(self) -> None:
        if self._dropped:
            note = _note_of(self._dropped, self._dropped_at, is_last=self._is_last)
            self._append(note, _size(note))
            self._dropped = 0

    def _append(self, record: LogRecord, size: int) -> None:
        self._records.append((record, size))
        self._bytes += size


def _note_of(count: int, at_ms: EpochMs, *, is_last: bool) -> LogRecord:
    records = "1 record was" if count == 1 else f"{count} records were"
    reason = "an attempt's log is kept up to here" if is_last else "they came faster than they could be sent"
    return LogRecord(timestamp_ms=at_ms, level=LogLevel.WARNING, message=f"{records} dropped: {reason}")


def _size(record: LogRecord) -> int:
    return len(json.dumps(to_json(record), separators=(",", ":")))
