"""What may be asked of the list of executions: `?status=&kind=&metadata.{key}=&createdAfter=&createdBefore=&limit=&cursor=`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from flowstrand.engine.events import WorkflowStatus
from flowstrand.engine.names import is_kind
from flowstrand.engine.schema import epoch_ms
from flowstrand.errors import InvalidInput
from flowstrand.service.listing import DEFAULT_LIMIT, MAX_LIMIT, Filter

_METADATA = "metadata."
_MAX_METADATA = 10
_CURSOR = re.compile(r"[0-9]{13}#[A-Za-z0-9][A-Za-z0-9._-]{0,511}")
_MAX_CURSOR = 1_024


class ListingQuery:
    """The parameters of one request, each checked when it is asked for.

    Every method raises `InvalidInput` (`INVALID_INPUT`, but for a cursor `INVALID_CURSOR`) that points at its parameter.
    """

    def __init__(self, parameters: Mapping[str, str] | None) -> None:
        """`parameters` are those of the query string; None is none."""
        self._parameters = parameters or {}

    def filter(self) -> Filter:
        """Which executions are asked for."""
        return Filter(
            status=self._status(),
            kind=self._kind(),
            metadata=self._metadata(),
            created_from_ms=self._moment("createdAfter"),
            created_before_ms=self._moment("createdBefore"),
        )

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

    def after(self) -> str:
        """Where the page starts: where another one has said that the next one does; empty for the first."""
        text = self._parameters.get("cursor")
        if not text:
            return ""
        position = _decoded(text)
        if position is None:
            raise _invalid("cursor", "must be the nextCursor of another page", code="INVALID_CURSOR")
        return position

    def _status(self) -> WorkflowStatus | None:
        text = self._parameters.get("status")
        if not text:
            return None
        if text not in WorkflowStatus.__members__:
            raise _invalid("status", f"must be one of {', '.join(WorkflowStatus)}")
        return WorkflowStatus(text)

    def _kind(self) -> str | None:
        text = self._parameters.get("kind")
        if text and not is_kind(text):
            raise _invalid("kind", "cannot be the kind of a workflow")
        return text or None

    def _metadata(self) -> dict[str, str]:
        given = {
            name.removeprefix(_METADATA): text
            for name, text in self._parameters.items()
            if name.startswith(_METADATA)
        }
        if "" in given or len(given) > _MAX_METADATA:
            raise _invalid("metadata", f"must be metadata.{{key}}, at most {_MAX_METADATA} of them")
        return given

    def _moment(self, name: str) -> int | None:
        text = self._parameters.get(name)
        if not text:
            return None
        try:
            return epoch_ms(text)
        except (TypeError, ValueError, OverflowError) as error:
            raise _invalid(name, "must be an RFC 3339 time with its offset") from error


def cursor_text(position: str) -> str:
    """A position as pages tell it."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str | None:
    """The position that a cursor stands for; None if it is no cursor."""
    if len(cursor) > _MAX_CURSOR:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (UnicodeError, binascii.Error):
        return None
    return position if _CURSOR.fullmatch(position) and cursor_text(position) == cursor else None


def _invalid(name: str, fault: str, code: str | None = None) -> InvalidInput:
    return InvalidInput(f"{name} {fault}", code=code, details=[{"pointer": f"/{name}", "message": fault}])
