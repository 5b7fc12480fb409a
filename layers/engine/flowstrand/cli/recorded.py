"""Histories that commands work on: from files of `flowstrand export`, or from where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowstrand.histories.history import History


def from_files(files: list[Path]) -> Iterator[History]:
    """Those of every file, in their order."""
    from flowstrand.histories.reading import read_file

    for file in files:
        yield from read_file(file)


def from_place(execution: str, org: str, stack: str | None, data: Path | None) -> Iterator[History]:
    """That of an execution, and behind it those of its descendants."""
    from flowstrand.engine.ids import ExecutionId, OrgId
    from flowstrand.log.port import LogKey
    from flowstrand.operations.exporting import family
    from flowstrand.operations.place import open_place

    place = open_place(stack=stack, data=data, environment=os.environ)
    try:
        key = LogKey(OrgId(org), ExecutionId(execution))
        yield from family(place.services, [key], with_descendants=True)
    finally:
        place.close()
