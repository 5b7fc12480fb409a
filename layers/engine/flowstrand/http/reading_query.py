"""What a reader may ask for in a URL: a position, a limit, a wait, a filter, a format. Shared by every reading route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from flowstrand.engine.events import EventType
from flowstrand.errors import InvalidInput
from flowstrand.service.history import DEFAULT_LIMIT, MAX_LIMIT
from flowstrand.views.stream_frame import StreamFormat

_MAX_DIGITS = 15

_Number = TypeVar("_Number", int, float)


class ReadingQuery:
    """The parameters of one reading request, each checked when it is asked for.

    Every method raises `InvalidInput` (`INVALID_INPUT`) that points at its parameter.
    """

    def __init__(self, parameters: Mapping[str, str] | None) -> None:
        """`parameters` are those of the query string; None is none."""
        self._parameters = parameters or {}

    def after(self, last_event_id: str | None = None) -> int:
        """The last sequence that the reader has; 0 for none. `last_event_id`, if not empty, beats `?after=`."""
        if last_event_id:
            return _position("Last-Event-ID", last_event_id.strip())
        return _position("after", self._parameters.get("after") or "0")

    def limit(self) -> int:
        """How many events at most."""
        limit = _position("limit", self._parameters.get("limit") or str(DEFAULT_LIMIT))
        return _in_range("limit", limit, 1, MAX_LIMIT)

    def wait_s(self, longest_s: float) -> float | None:
        """How long to wait for an event, in seconds; None for a page at once."""
        text = self._parameters.get("wait")
        if not text:
            return None
        if not text.replace(".", "", 1).isdecimal() or len(text) > _MAX_DIGITS:
            raise _invalid("wait", f"must be a number of seconds, not {text!r}")
        return _in_range("wait", float(text), 0.0, longest_s)

    def types(self) -> frozenset[EventType] | None:
        """The types of events asked for, by their exact names; None for all."""
        text = self._parameters.get("types")
        if not text:
            return None
        names = [name.strip() for name in text.split(",") if name.strip()]
        try:
            return frozenset(EventType(name) for name in names) or None
        except ValueError as error:
            raise _invalid("types", f"must be names of event types, separated by commas: {error}") from error

    def format(self) -> StreamFormat:
        """The clothes of the events of a stream."""
        text = self._parameters.get("format") or StreamFormat.STATE.value
        try:
            return StreamFormat(text)
        except ValueError as error:
            known = " or ".join(format.value for format in StreamFormat)
            raise _invalid("format", f"must be {known}, not {text!r}") from error


def _position(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > _MAX_DIGITS:
        raise _invalid(name, f"must be a whole number from 0, not {text!r}")
    return int(text)


def _in_range(name: str, value: _Number, least: _Number, most: _Number) -> _Number:
    if not least <= value <= most:
        raise _invalid(name, f"must be from {least:g} to {most:g}")
    return value


def _invalid(name: str, fault: str) -> InvalidInput:
    return InvalidInput(f"{name} {fault}", details=[{"pointer": f"/{name}", "message": fault}])
