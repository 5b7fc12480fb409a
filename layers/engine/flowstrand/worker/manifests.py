"""What a worker tells the server of its tasks, cut to what the server takes."""

from __future__ import annotations

import json
from collections.abc import Iterable

from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.app import App

_MAX_SCHEMA_BYTES = 32_768
_MAX_BYTES = 786_432
"""Of all definitions together; a request may have a little more."""
_MAX_DESCRIPTION = 1_024
_SCHEMAS = ("inputSchema", "outputSchema")


def manifests_of(app: App) -> list[JsonValue]:
    """The manifests of the tasks of `app`; a schema that is too long is left out, and only hashes tell of it."""
    tasks = [task.manifest() for kind in app.task_kinds() if (task := app.task(kind)) is not None]
    cut = [_cut(manifest) for manifest in tasks]
    if _bytes(list(cut)) > _MAX_BYTES:
        return [_without(manifest, _SCHEMAS) for manifest in cut]
    return list(cut)


def _cut(manifest: JsonObject) -> JsonObject:
    too_long = [name for name in _SCHEMAS if _bytes(manifest[name]) > _MAX_SCHEMA_BYTES]
    short = _without(manifest, too_long)
    if isinstance(text := short.get("description"), str):
        short["description"] = text[:_MAX_DESCRIPTION]
    return short


def _without(manifest: JsonObject, names: Iterable[str]) -> JsonObject:
    left_out = set(names)
    return {name: value for name, value in manifest.items() if name not in left_out}


def _bytes(value: JsonValue) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
