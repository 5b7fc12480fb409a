"""Requests to show, from events/: the very ones that the tests send to the handlers."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

Operation = tuple[str, str]
"""A method, in lower case, and the template of a path."""

_SHOWN = {"content-type", "accept", "producer-id", "producer-epoch", "producer-seq", "stream-closed", "stream-ttl"}
_USUAL = {"application/json", "*/*"}
"""What clients accept when nobody says anything."""


def samples(events: Path) -> dict[Operation, list[tuple[str, str]]]:
    """For each operation, the samples of it: a name, and a `curl` command."""
    found: dict[Operation, list[tuple[str, str]]] = {}
    for file in sorted(events.glob("*/*.json")):
        event = json.loads(file.read_text(encoding="utf-8"))
        if file.parent.name == "authorizer" or "httpMethod" not in event:
            continue
        operation = event["httpMethod"].lower(), event["resource"]
        found.setdefault(operation, []).append((file.stem.replace("-", " "), _curl(event)))
    return found


def _curl(event: dict[str, object]) -> str:
    match event:
        case {"httpMethod": str(method), "path": str(path), "headers": dict(headers)}:
            query = event.get("multiValueQueryStringParameters")
            address = path + ("?" + urlencode(query, doseq=True) if isinstance(query, dict) else "")
            parts = [f'curl -X {method} "$FLOWSTRAND_URL{address}"']
            parts += [f"-H '{name}: {value}'" for name, value in headers.items() if _is_shown(name, value)]
            parts.insert(1, '-H "Authorization: Bearer $FLOWSTRAND_API_KEY"')
            if isinstance(body := event.get("body"), str) and body:
                parts.append(f"-d '{_indented(body)}'".replace("\n", "\n    "))
            return " \\\n  ".join(parts)
        case _:
            raise ValueError("an event has a method, a path and headers")


def _is_shown(name: str, value: str) -> bool:
    return name.lower() in _SHOWN and not (name.lower() == "accept" and value in _USUAL)


def _indented(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False).replace("'", "'\\''")
    except ValueError:
        return body.replace("'", "'\\''")
