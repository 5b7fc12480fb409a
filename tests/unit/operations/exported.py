"""Executions in a memory world, and the files that their exports are."""

from __future__ import annotations

import io
from collections.abc import Sequence

from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.task_log import LogLevel, LogRecord
from flowstrand.histories.history import History, TaskLogBatch
from flowstrand.histories.reading import read
from flowstrand.histories.writing import HistoryWriter
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.operations.exporting import family
from flowstrand.service import task_log_rows
from flowstrand.service.task_log_rows import Batch
from tests.unit.service.projected import pointers
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, work

NOW_MS = EpochMs(1_795_435_200_000)
LARGE = "large " * 3_000
"""More than an event takes inline."""
RECORD = LogRecord(
    timestamp_ms=NOW_MS, level=LogLevel.WARNING, message="half of a pair: \ud83d", fields={"try": 2}
)


async def order(driver: Driver, input: JsonValue) -> JsonValue:
    first: JsonValue = await work(driver, input)
    await work(driver, first)
    return first


def completed(world: ServiceWorld, input: JsonValue = "hat") -> str:
    """An order that has ended, with as many commits as it takes."""
    execution = world.begin(order, input)
    for _ in range(2):
        [task] = world.claim()
        world.complete(task, LARGE)
        world.settle()
    return execution


def log(world: ServiceWorld, execution: str, batch: TaskLogBatch) -> None:
    """An attempt of one of its tasks has logged something."""
    row = Batch(position=batch.position, attempt=batch.attempt, number=batch.number, records=batch.records, size=1)
    task_log_rows.add(world.services.directory, key_of(execution), row)


def exported(world: ServiceWorld, *executions: str, descendants: bool = True) -> list[History]:
    """What an export of them has, having been through a file."""
    return list(read(file_of(world, *executions, descendants=descendants)))


def file_of(world: ServiceWorld, *executions: str, descendants: bool = True) -> list[str]:
    """The lines of an export."""
    keys: Sequence[LogKey] = [key_of(execution) for execution in executions]
    return lines_of(list(family(world.services, keys, with_descendants=descendants)))


def lines_of(histories: Sequence[History]) -> list[str]:
    """The lines of a file that holds these."""
    file = io.StringIO()
    with HistoryWriter(file, now_ms=NOW_MS, version="0") as writer:
        for history in histories:
            writer.write(history)
    return file.getvalue().splitlines(keepends=True)


def log_of(world: ServiceWorld, execution: str) -> list[object]:
    """What of a log must be the same wherever it is."""
    return [(c.sequence, c.count, c.written_at_ms, c.commit_id) for c in world.commits(execution)] + [
        event.data for event in world.events(execution)
    ]


def listed_ids(world: ServiceWorld) -> set[str]:
    """Whom the listing leads to."""
    return {str(id) for _, id in pointers(world.disk, ORG)}
