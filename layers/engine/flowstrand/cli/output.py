"""`Output`: what a command says, as JSON for programs or as text for people. The one place that prints results.

With `--json`, stdout has one JSON document, with the API's own field names, or one object a line where a command follows
something; nothing else. For people there are tables, as wide as the terminal. Where stdout is no terminal, tables are as wide as
they need to be, a line to each row, and without colours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

import typer
from rich.console import Console
from rich.json import JSON
from rich.text import Text

from flowstrand.cli.cells import Column, fields_of
from flowstrand.cli.tables import card, table
from flowstrand.jsonvalue import JsonObject, JsonValue

_NOT_FOR_PEOPLE = frozenset({"links"})


class Output:
    """Prints on stdout.

    Attributes:
        as_json: for programs.
    """

    def __init__(self, *, as_json: bool, console: Console | None = None) -> None:
        self.as_json = as_json
        self._console = console or _Stdout(highlight=False, soft_wrap=True, file=sys.stdout)

    def one(self, body: JsonObject) -> None:
        """One thing: its fields, a line each."""
        if self.as_json:
            self.value(body)
        else:
            self._console.print(card(fields_of(body, without=_NOT_FOR_PEOPLE)))

    def many(self, name: str, bodies: Iterable[JsonObject], columns: Sequence[Column]) -> None:
        """Several things: a table of them, or a document with a list of this name."""
        rows = list(bodies)
        if self.as_json:
            listed: list[JsonValue] = list(rows)
            self.value({name: listed})
        elif rows:
            self._console.print(table(rows, columns, self._console))
        else:
            typer.echo(f"none: there are no {name}", err=True)

    def said(self, body: JsonObject, text: object) -> None:
        """What came of a command: `text`, on a line of its own, or `body`."""
        if self.as_json:
            self.value(body)
        else:
            typer.echo(text)

    def item(self, body: JsonObject, line: Text) -> None:
        """The next of something that is followed: a line, or an object on a line."""
        if self.as_json:
            typer.echo(json.dumps(body, ensure_ascii=False))
        else:
            self._console.print(line)
        sys.stdout.flush()

    def value(self, value: JsonValue) -> None:
        """JSON for either: on one line, or readable where it is a person who reads it."""
        if self._console.is_terminal:
            self._console.print(JSON(json.dumps(value, ensure_ascii=False), indent=2, ensure_ascii=False))
        else:
            typer.echo(json.dumps(value, ensure_ascii=False))


class _Stdout(Console):
    """A console that leaves it to the command to end when its reader has gone."""

    def on_broken_pipe(self) -> NoReturn:
        """See `Console.on_broken_pipe`."""
        raise BrokenPipeError
