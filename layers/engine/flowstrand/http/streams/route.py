"""`StreamRoute`: a method, a path and who answers; `StreamCall`: one request to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.service.container import Services
from flowstrand.streams.response import StreamResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCall:
    """One request.

    Attributes:
        event: the API Gateway proxy event.
        parameters: of the path.
        services: makes them when they are first needed: a caller who is refused costs no composition.
    """

    event: Mapping[str, Any]
    parameters: Mapping[str, str]
    services: Callable[[], Services]

    def header(self, name: str) -> str | None:
        """The value of a header, by its lower-case name."""
        headers: Mapping[str, str] = self.event.get("headers") or {}
        return next((value for key, value in headers.items() if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class StreamRoute:
    """What answers `method` on `path`, whose parameters are written as `<name>`."""

    method: str
    path: str
    open: Callable[[StreamCall], StreamResponse]
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        expression = re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", self.path)
        object.__setattr__(self, "_pattern", re.compile(f"{expression}/?"))

    def match(self, event: Mapping[str, Any]) -> Mapping[str, str] | None:
        """The path's parameters where the request is for this route."""
        if event.get("httpMethod") != self.method:
            return None
        found = self._pattern.fullmatch(str(event.get("path") or ""))
        return found.groupdict() if found else None
