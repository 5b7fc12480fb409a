"""Values that a person gives as JSON: in the command, in a file, or through a pipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from flowstrand.jsonvalue import JsonObject, JsonValue


def parsed(text: str, option: str) -> JsonValue:
    """The value of `text`; of the file that it names as `@FILE`, or of stdin, as `-`.

    Raises:
        typer.BadParameter: it is not JSON, or the file cannot be read; `option` is named.
    """
    try:
        value: JsonValue = json.loads(_content(text))
    except OSError as error:
        raise typer.BadParameter(f"cannot read {text[1:]}: {error.strerror}", param_hint=option) from error
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint=option) from error
    return value


def parsed_object(text: str, option: str) -> JsonObject:
    """The same, where it has to be an object."""
    value = parsed(text, option)
    if not isinstance(value, dict):
        raise typer.BadParameter("not a JSON object", param_hint=option)
    return value


def _content(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    if text.startswith("@"):
        return Path(text[1:]).read_text(encoding="utf-8")
    return text
