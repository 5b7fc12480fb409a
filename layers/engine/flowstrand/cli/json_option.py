"""Values that a person gives as JSON."""

from __future__ import annotations

import json

import typer

from flowstrand.jsonvalue import JsonValue


def parsed(text: str, option: str) -> JsonValue:
    """The value of `text`.

    Raises:
        typer.BadParameter: it is not JSON; `option` is named.
    """
    try:
        value: JsonValue = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint=option) from error
    return value
