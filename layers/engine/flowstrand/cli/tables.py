"""Tables: as wide as the terminal, and where that is too narrow, or there is none, in another form that loses nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from flowstrand.cli.cells import Column, cell, fields_of, style
from flowstrand.jsonvalue import JsonObject

_GAP = 2
_LEAST = 8
"""How narrow a column that may be cut may become."""


def table(rows: Sequence[JsonObject], columns: Sequence[Column], console: Console) -> Text:
    """A row for each; for a terminal that is too narrow for what must not be cut, a card for each."""
    cells = [[cell(column.field, row.get(column.field)) for column in columns] for row in rows]
    natural = [
        max(cell_len(column.title), *(cell_len(line[place]) for line in cells))
        for place, column in enumerate(columns)
    ]
    widths = _fitted(columns, natural, console.width) if console.is_terminal else natural
    if widths is None:
        return Text("\n\n").join(card(fields_of(_only(row, columns))) for row in rows)
    titles = _line([Text(column.title, "bold") for column in columns], widths)
    lines = [
        _line([Text(text, style(c.field, text)) for text, c in zip(line, columns, strict=True)], widths)
        for line in cells
    ]
    return Text("\n").join([titles, *lines])


def card(fields: Sequence[tuple[str, str, str]]) -> Text:
    """Fields, each on a line: its name, its label and its text."""
    width = max((len(label) for _, label, _ in fields), default=0)
    lines = [
        Text.assemble((f"{label:<{width}}", "dim"), " " * _GAP, (text, style(field, text)))
        for field, label, text in fields
    ]
    return Text("\n").join(lines)


def _fitted(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int] | None:
    """Widths that fit, the widest that may be cut giving way first; None where none do."""
    fitted = list(natural)
    while (excess := sum(fitted) + _GAP * (len(columns) - 1) - width) > 0:
        may_give = [
            place for place, column in enumerate(columns) if not column.is_whole and fitted[place] > _LEAST
        ]
        if not may_give:
            return None
        widest = max(may_give, key=lambda place: fitted[place])
        fitted[widest] = max(_LEAST, fitted[widest] - excess)
    return fitted


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    for text, width in zip(cells, widths, strict=True):
        text.truncate(width, overflow="ellipsis", pad=True)
    line = Text(" " * _GAP).join(cells)
    line.rstrip()
    return line


def _only(row: JsonObject, columns: Sequence[Column]) -> JsonObject:
    return {column.field: row.get(column.field) for column in columns}
