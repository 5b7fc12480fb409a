"""Durations as a person writes them: `90`, `30s`, `5m`, `2h`, `7d`."""

from __future__ import annotations

import re

import typer

_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")


def seconds(text: str, option: str) -> float:
    """How many seconds `text` means.

    Raises:
        typer.BadParameter: it means none; `option` is named.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise typer.BadParameter("a duration is a number and s, m, h or d: 30s, 5m, 2h, 7d", param_hint=option)
    return float(found[1]) * _UNITS_S[found[2]]


def milliseconds(text: str, option: str) -> int:
    """How many milliseconds `text` means. Raises what `seconds` does."""
    return round(seconds(text, option) * 1_000)


def seconds_or_none(text: str | None, option: str) -> float | None:
    """The same, where it may be missing."""
    return None if text is None else seconds(text, option)


def clock(elapsed_s: float) -> str:
    """`01:05`, `1:01:05`."""
    minutes, rest = divmod(int(elapsed_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
