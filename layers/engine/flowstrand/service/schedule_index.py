"""Which schedules there are: a directory row written before the schedule itself, removed after it is gone.

The sweep reads these rows and has each schedule looked at, so that none is stranded by a lost message. They are spread
over shards, so that no partition holds all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from flowstrand.directory.port import Directory
from flowstrand.directory.scanning import every_item
from flowstrand.engine.ids import OrgId
from flowstrand.queues.messages import ScheduleDue

SHARDS = 16


def add(directory: Directory, due: ScheduleDue) -> None:
    """Before the schedule is written."""
    directory.put(_partition(due), _key(due), {})


def remove(directory: Directory, due: ScheduleDue) -> None:
    """After the schedule is gone."""
    directory.delete(_partition(due), _key(due))


def every(directory: Directory) -> Iterator[ScheduleDue]:
    """The message that has each schedule looked at."""
    for shard in range(SHARDS):
        for item in every_item(directory, f"schedules#{shard}"):
            org, schedule_id, uid = item.key.split("#")
            yield ScheduleDue(org=OrgId(org), schedule_id=schedule_id, uid=uid)


def _key(due: ScheduleDue) -> str:
    return f"{due.org}#{due.schedule_id}#{due.uid}"


def _partition(due: ScheduleDue) -> str:
    return f"schedules#{zlib.crc32(_key(due).encode()) % SHARDS}"
