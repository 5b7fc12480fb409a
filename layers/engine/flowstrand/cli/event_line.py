"""One event as one line, coloured by family, for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

_COLOURS = {
    "WORKFLOW": "bold cyan",
    "TASK": "green",
    "TIMER": "magenta",
    "CHILD": "blue",
    "OPERATION": "yellow",
    "STREAM": "white",
}
_TOLD = ("kind", "name", "attempt", "executionCount", "suspendType", "status")


def event_line(sequence: int, type: str, timestamp_ms: int | None, data: object, prefix: str = "") -> Text:
    """`  5  09:00:00.123  TASK_FAILED  always-fails · attempt 1 · FAILED · Boom: no luck`."""
    line = Text(prefix)
    line.append(f"{sequence:>4}  ", style="dim")
    line.append(f"{clock(timestamp_ms)}  ", style="dim")
    line.append(f"{type:<26}", style=_style(type))
    line.append(f"  {_summary(data)}")
    line.rstrip()
    return line


def _style(type: str) -> str:
    if type.endswith("_FAILED"):
        return "bold red"
    return _COLOURS.get(type.partition("_")[0], "white")


def clock(timestamp_ms: int | None) -> str:
    """`09:00:00.123`, where this program runs; blank where the moment is not known."""
    if timestamp_ms is None:
        return " " * 12
    moment = datetime.fromtimestamp(timestamp_ms / 1_000, UTC).astimezone()
    return moment.strftime("%H:%M:%S.") + f"{timestamp_ms % 1_000:03d}"


def _summary(data: object) -> str:
    if not isinstance(data, Mapping):
        return "" if data is None else str(data)
    parts = [
        f"{key} {data[key]}" if isinstance(data[key], int) else str(data[key]) for key in _TOLD if data.get(key)
    ]
    if (error := data.get("error")) is not None:
        parts.append(_error(error))
    return " · ".join(parts)


def _error(error: Any) -> str:
    if isinstance(error, Mapping):
        return f"{error.get('type')}: {error.get('message')}"
    return str(error)
