"""The rows of task logs in the directory: one for each batch, in a partition of the log that the tasks are in.

So they go with that log, and are read in the order of tasks, attempts and batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item, PreconditionFailed
from flowstrand.engine.schema import from_json, to_json
from flowstrand.engine.task_log import LogRecord
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey

PREFIX = "@task-logs#"
"""What the name of every partition begins with."""
_ROWS = 16
"""How many rows are read, or removed, at a time. Each may be as long as a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records of one attempt that came together.

    Attributes:
        position: of the task in its log.
        number: within the attempt, from 1.
        size: bytes of the records' JSON.
    """

    position: int
    attempt: int
    number: int
    records: tuple[LogRecord, ...]
    size: int


def add(directory: Directory, key: LogKey, batch: Batch) -> None:
    """Keep a batch. One that is there already stays as it is."""
    records: list[JsonValue] = [to_json(record) for record in batch.records]
    with suppress(PreconditionFailed):
        directory.put(
            _partition(key),
            _row(batch.position, batch.attempt, batch.number),
            {"size": batch.size, "records": records},
            expect=0,
        )


def batches(directory: Directory, key: LogKey, position: int, *, attempt: int, number: int) -> Iterator[Batch]:
    """Those of one task from this batch on, through all later attempts; they are read as they are taken."""
    after = _row(position, attempt, number - 1)
    while True:
        rows = directory.scan(_partition(key), after=after, limit=_ROWS)
        for row in rows:
            batch = _batch(row)
            if batch.position != position:
                return
            yield batch
        if len(rows) < _ROWS:
            return
        after = rows[-1].key


def every(directory: Directory, key: LogKey) -> Iterator[Batch]:
    """All that is kept for a log, in the order of tasks, attempts and batches."""
    after = ""
    while rows := directory.scan(_partition(key), after=after, limit=_ROWS):
        yield from map(_batch, rows)
        after = rows[-1].key


def drop(directory: Directory, key: LogKey) -> bool:
    """Remove some of what is kept for a log; whether that was all. Repeating it is harmless."""
    rows = directory.scan(_partition(key), limit=_ROWS)
    directory.delete_many([(row.partition, row.key) for row in rows])
    return len(rows) < _ROWS


def _partition(key: LogKey) -> str:
    return f"{PREFIX}{key}"


def _row(position: int, attempt: int, number: int) -> str:
    return f"{position:010d}#{attempt:06d}#{number:06d}"


def _batch(row: Item) -> Batch:
    numbers, records, size = row.key.split("#"), row.data.get("records"), row.data.get("size")
    if not isinstance(records, list) or not isinstance(size, int):
        raise LogCorrupted(f"a row of {row.partition} holds no records")
    position, attempt, number = map(int, numbers)
    parsed = tuple(from_json(LogRecord, record) for record in records if isinstance(record, dict))
    return Batch(position=position, attempt=attempt, number=number, records=parsed, size=size)
