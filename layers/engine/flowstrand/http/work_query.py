"""What a reader of an execution's tasks and children may ask for in a URL: `?status=&limit=&cursor=`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flowstrand.errors import InvalidInput
from flowstrand.service.work_listing import Cursor, Stage

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000

_CURSOR = re.compile(r"(open|ended)\.([0-9]{1,15})")


class WorkQuery:
    """The parameters of one request, each checked when it is asked for.

    Every method raises `InvalidInput` (`INVALID_INPUT`) that points at its parameter.
    """

    def __init__(self, parameters: Mapping[str, str] | None) -> None:
        """`parameters` are those of the query string; None is none."""
        self._parameters = parameters or {}

    def only(self) -> Stage | None:
        """`open` or `ended`; None for both."""
        text = self._parameters.get("status")
        if not text:
            return None
        if text not in list(Stage):
            raise _invalid("status", "must be open or ended")
        return Stage(text)

    def limit(self) -> int:
        """How many at most."""
        text = self._parameters.get("limit") or str(DEFAULT_LIMIT)
        if (
            text.isascii()
            and text.isdecimal()
            and len(text) <= len(str(MAX_LIMIT))
            and 1 <= int(text) <= MAX_LIMIT
        ):
            return int(text)
        raise _invalid("limit", f"must be a whole number from 1 to {MAX_LIMIT}")

    def start(self) -> Cursor:
        """Where the page starts: where another one has said that the next one does."""
        text = self._parameters.get("cursor")
        if not text:
            return Cursor(stage=Stage.OPEN)
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise _invalid("cursor", "must be the nextCursor of another page")
        return Cursor(stage=Stage(found[1]), after=int(found[2]))


def cursor_text(cursor: Cursor) -> str:
    """A cursor as pages tell it."""
    return f"{cursor.stage}.{cursor.after}"


def _invalid(name: str, fault: str) -> InvalidInput:
    return InvalidInput(f"{name} {fault}", details=[{"pointer": f"/{name}", "message": fault}])
