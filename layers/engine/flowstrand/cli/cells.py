"""Fields of the API's JSON as people read them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STYLES = {
    "PENDING": "yellow",
    "RUNNING": "cyan",
    "WAITING": "blue",
    "CANCELLING": "yellow",
    "COMPLETED": "green",
    "FAILED": "bold red",
    "CANCELLED": "magenta",
    "ACTIVE": "green",
    "PAUSED": "yellow",
    "STARTED": "green",
    "SKIPPED": "yellow",
    "MISSED": "yellow",
    "DRAINING": "yellow",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        field: of the API's JSON.
        title: at the head of the column.
        is_whole: it is never cut: an id, for example, that is to be copied.
    """

    field: str
    title: str
    is_whole: bool = False


def cell(field: str, value: JsonValue) -> str:
    """A value in a table: text as it is, moments to the second, an error as one sentence, the rest as JSON."""
    if value is None:
        return "-"
    if isinstance(value, str):
        moment = _MOMENT.fullmatch(value)
        return f"{moment[1]} {moment[2]}Z" if moment else " ".join(value.split())
    if field == "error" and isinstance(value, Mapping):
        return " ".join(f"{value.get('type')}: {value.get('message')}".split())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(map(str, value)) or "-"
    return json.dumps(value, ensure_ascii=False)


def label(field: str) -> str:
    """`currentSequence` as `current sequence`."""
    return _HUMP.sub(" ", field).lower()


def style(field: str, text: str) -> str:
    """A colour for what says how something stands."""
    return _STYLES.get(text, "") if field in {"status", "outcome", "state"} else ""


def fields_of(body: JsonObject, *, without: frozenset[str] = frozenset()) -> list[tuple[str, str, str]]:
    """Field, label and text of everything that `body` says."""
    return [
        (field, label(field), cell(field, value))
        for field, value in body.items()
        if field not in without and value is not None
    ]
