"""Recorded histories: the JSON of the history route, read back into events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from flowstrand.engine.events import Event
from flowstrand.engine.events.codec import SCHEMA_VERSION, decode
from flowstrand.engine.ids import is_standalone_task
from flowstrand.engine.schema import epoch_ms
from flowstrand.errors import HistoryRefused, InvalidInput, LogCorrupted
from flowstrand.histories.reading import is_export, read_file
from flowstrand.jsonvalue import JsonObject
from flowstrand.views.history_item import history_item

History: TypeAlias = Mapping[str, Any] | Iterable[Mapping[str, Any]] | Path
"""`{"events": […]}`, the list in it, or a file that holds either, or one event per line, or an export."""


def histories_in(file: Path) -> list[tuple[str, list[Event]]]:
    """Every execution of a file, each with a name: an export may hold several. Standalone tasks in it are left out.

    Raises:
        InvalidInput: it is not a history, or one of them is not (`INVALID_HISTORY`).
    """
    if not _is_export(file):
        return [(str(file), events_of(file))]
    try:
        exported = [history for history in read_file(file) if not is_standalone_task(history.key.execution_id)]
        found = [(f"{file}: {history.key.execution_id}", history.with_values()) for history in exported]
    except (HistoryRefused, LogCorrupted) as error:
        raise _invalid(error.message) from error
    if not found:
        raise _invalid(f"{file} holds no execution")
    return found


def events_of(history: History) -> list[Event]:
    """The events of a history, which must begin with its first and have no gap; it may end anywhere.

    Of an export, they are those of the first execution in it: the one that was asked for.

    Raises:
        InvalidInput: it is not a history (`INVALID_HISTORY`).
    """
    if isinstance(history, Path) and _is_export(history):
        return histories_in(history)[0][1]
    recorded = _load(history) if isinstance(history, Path) else history
    items = recorded.get("events") if isinstance(recorded, Mapping) else recorded
    if not isinstance(items, Iterable):
        raise _invalid('there is no list of "events"')
    events = [_event(item) for item in items]
    if not events:
        raise _invalid("it is empty")
    for expected, event in enumerate(events, start=1):
        if event.sequence != expected:
            raise _invalid(f"it has event {event.sequence} where {expected} should be; fetch every page of it")
    return events


def write_history(file: Path, events: Iterable[Event]) -> None:
    """Write a history for `events_of` to read, without the stacks of failures."""
    recorded = {"events": [_without_stack(history_item(event)) for event in events]}
    file.write_text(json.dumps(recorded, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _without_stack(item: JsonObject) -> JsonObject:
    data = item["data"]
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(error, dict):
        return item
    return {**item, "data": {**data, "error": {key: value for key, value in error.items() if key != "stack"}}}


def _is_export(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8") as lines:
            return is_export(lines.readline())
    except (OSError, ValueError):
        return False  # it is told of where it is read


def _load(file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line] if _is_lines(text) else json.loads(text)
    except OSError as error:
        raise _invalid(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _invalid(f"{file} is not JSON: {error}") from error


def _is_lines(text: str) -> bool:
    """Whether the first of several lines is an event by itself, as `flowstrand events --json` writes them."""
    first, _, rest = text.partition("\n")
    return bool(rest.strip()) and first.startswith("{") and first.rstrip().endswith("}")


def _event(item: Mapping[str, Any]) -> Event:
    try:
        data = decode({"v": SCHEMA_VERSION, "type": item["type"], "data": item["data"]})
        return Event(sequence=int(item["sequence"]), timestamp_ms=epoch_ms(item["timestamp"]), data=data)
    except (KeyError, TypeError, ValueError, LogCorrupted) as error:
        raise _invalid(f"{item!r:.200} is not an event: {type(error).__name__}: {error}") from error


def _invalid(why: str) -> InvalidInput:
    return InvalidInput(f"not a recorded history: {why}", code="INVALID_HISTORY")
