"""Records what the tests read for ever: `.venv/bin/python -m tests.unit.histories.record`.

Run it when there is a new version of an event's stored form or of the export, and keep the files of the old ones as they are.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

from flowstrand.engine.events import EventType
from flowstrand.engine.events.codec import SCHEMA_VERSION, encode, public_data
from flowstrand.histories.history import TaskLogBatch
from flowstrand.histories.lines import VERSION
from flowstrand.histories.writing import HistoryWriter
from flowstrand.operations.channel_exporting import export_channel
from flowstrand.operations.exporting import export_one
from flowstrand.service.channels import opening
from flowstrand.service.channels.appending import Message, append_message
from flowstrand.service.channels.opening import Wanted
from flowstrand.service.channels.producers import Claim
from tests.unit.every_event import data_of
from tests.unit.operations.exported import LARGE, NOW_MS, RECORD, completed, log
from tests.unit.service.service_world import ORG, ServiceWorld, key_of

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
    opening.open_channel(world.services, ORG, "chat", Wanted(content_type="application/json", body=b'["hello"]'))
    closing = Message(
        body=json.dumps(LARGE).encode(),
        content_type="application/json",
        closes=True,
        seq="1",
        claim=Claim("importer", 2, 0),
    )
    append_message(world.services, ORG, "chat", closing)
    file = io.StringIO()
    with HistoryWriter(file, now_ms=NOW_MS, version="0") as writer:
        writer.write(export_one(world.services, key_of(execution)))
        writer.write_channel(export_channel(world.services, ORG, "chat"))
    (VERSIONS / f"export-{VERSION}.jsonl").write_text(file.getvalue())


if __name__ == "__main__":
    record()
