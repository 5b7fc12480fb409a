"""Records what the tests read for ever: `.venv/bin/python -m tests.unit.histories.record`.

Run it when there is a new version of an event's stored form or of the export, and keep the files of the old ones as they are.
"""

from __future__ import annotations

import json
from pathlib import Path

from flowstrand.engine.events import EventType
from flowstrand.engine.events.codec import SCHEMA_VERSION, encode, public_data
from flowstrand.histories.history import TaskLogBatch
from flowstrand.histories.lines import VERSION
from tests.unit.every_event import data_of
from tests.unit.operations.exported import RECORD, completed, file_of, log
from tests.unit.service.service_world import ServiceWorld

VERSIONS = Path(__file__).parent / "versions"


def record() -> None:
    """Write the files of the present versions."""
    data = [data_of(event_type) for event_type in EventType]
    forms = [{"stored": encode(each), "public": public_data(each)} for each in data]
    text = json.dumps(forms, indent=1, sort_keys=True) + "\n"
    (VERSIONS / f"events-{SCHEMA_VERSION}.json").write_text(text)
    world = ServiceWorld()
    execution = completed(world)
    log(world, execution, TaskLogBatch(position=1, attempt=1, number=1, records=(RECORD,)))
    lines = file_of(world, execution)
    (VERSIONS / f"export-{VERSION}.jsonl").write_text("".join(lines))


if __name__ == "__main__":
    record()
