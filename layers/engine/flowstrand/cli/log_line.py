"""One record of a task's log as a line, and the stack of an exception below it, for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.text import Text

from flowstrand.cli.event_line import clock
from flowstrand.engine.schema import epoch_ms

if TYPE_CHECKING:
    from flowstrand.client import TaskLogRecord
    from flowstrand.jsonvalue import JsonObject

_STYLES = {"DEBUG": "dim", "WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}


def log_lines(record: TaskLogRecord) -> Text:
    """`  2  09:00:00.123  WARNING   the card was declined  {"orderId": "o-1"}`; the number is the attempt's."""
    line = Text()
    line.append(f"{record.attempt:>3}  ", style="dim")
    line.append(f"{clock(epoch_ms(record.timestamp))}  ", style="dim")
    line.append(f"{record.level:<8}", style=_STYLES.get(record.level, ""))
    line.append(f"  {record.message}")
    if record.fields:
        line.append(f"  {json.dumps(record.fields, ensure_ascii=False)}", style="dim")
    if record.exception:
        line.append(f"\n{_shown(record.exception)}", style="red")
    return line


def _shown(exception: JsonObject) -> str:
    said = exception.get("stack") or f"{exception.get('type')}: {exception.get('message')}"
    return "\n".join(f"     {line}" for line in str(said).rstrip().splitlines())
