"""Docstrings in the words of JSON: what is a field's name there is a property's here."""

from __future__ import annotations

import re

from pydantic.alias_generators import to_camel

_FIELD = re.compile(r"`([a-z]+(?:_[a-z0-9]+)+)`")


def in_json_names(docstring: str) -> str:
    """On one line; `next_cursor` is called `nextCursor`, and the moment `retry_at_ms`, as `engine.schema` has it, `retryAt`."""
    return _FIELD.sub(lambda found: f"`{_property(found[1])}`", " ".join(docstring.split()))


def _property(field: str) -> str:
    return to_camel(field.removesuffix("_ms") if field.endswith("_at_ms") else field)
