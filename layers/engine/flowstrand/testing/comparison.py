"""Whether two worlds lived the same life: their logs, up to timestamps, worker ids and stacks."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable

from flowstrand.engine.events import Event
from flowstrand.engine.events.codec import public_data
from flowstrand.jsonvalue import JsonObject
from flowstrand.testing.world import World


def require_same(one: World, one_is: str, other: World, other_is: str) -> None:
    """Compare every log.

    Raises:
        AssertionError: they differ; the message shows where.
    """
    for execution in [*one.logs(), *(known for known in other.logs() if known not in one.logs())]:
        lines = lines_of(one.events(execution)), lines_of(other.events(execution))
        if lines[0] != lines[1]:
            diff = difflib.unified_diff(*lines, fromfile=one_is, tofile=other_is, lineterm="", n=2)
            raise AssertionError(
                f"execution {execution} came out differently {one_is} and {other_is}: its code depends on something "
                f"that its log does not hold\n" + "\n".join(diff)
            )


def lines_of(events: Iterable[Event]) -> list[str]:
    """One line per event, without what may differ."""
    return [f"{event.sequence} {event.type.value} {_text(public_data(event.data))}" for event in events]


def _text(data: JsonObject) -> str:
    kept = {key: value for key, value in data.items() if key != "workerId" and not key.endswith("At")}
    error = kept.get("error")
    if isinstance(error, dict):
        kept["error"] = {key: value for key, value in error.items() if key != "stack"}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)
