"""Offsets: positions in a stream as the protocol writes them, opaque to clients, in the order of their text.

    {16 digits}                  of an execution's log, or of an org's feed
    {26 characters}_{16 digits}  of a channel: which channel of this name it was, and the position in that one

So an offset of a channel that was deleted never means anything in the one that was made in its place.
"""

from __future__ import annotations

import re

from flowstrand.dataclass import dataclass
from flowstrand.errors import Gone, InvalidInput

BEGINNING = "-1"
NOW = "now"

_DIGITS = 16
_OFFSET = re.compile(r"(?:(?P<incarnation>[0-9A-Z]{26})_)?(?P<position>[0-9]{16})")


@dataclass(frozen=True, slots=True)
class Offsets:
    """The offsets of one stream; `incarnation` tells it from others of the same name, where there can be others."""

    incarnation: str = ""

    def of(self, position: int) -> str:
        """The offset behind `position`."""
        digits = f"{position:0{_DIGITS}d}"
        return f"{self.incarnation}_{digits}" if self.incarnation else digits

    def position(self, offset: str) -> int:
        """The inverse of `of`; 0 for the beginning.

        Raises:
            InvalidInput: it is not an offset of such a stream.
            Gone: it is one of a stream that was there before this (`CURSOR_EXPIRED`).
        """
        if offset == BEGINNING:
            return 0
        found = _OFFSET.fullmatch(offset)
        incarnation = (found["incarnation"] or "") if found else ""
        if found is None or bool(incarnation) is not bool(self.incarnation):
            raise invalid_offset("is not an offset of this stream")
        if incarnation != self.incarnation:
            message = "the offset is one of a stream that was here before; begin again"
            raise Gone(message, code="CURSOR_EXPIRED")
        return int(found["position"])


def invalid_offset(fault: str) -> InvalidInput:
    """The query's `offset` cannot be used."""
    return InvalidInput("not valid in the query: offset", details=[{"pointer": "/offset", "message": fault}])
