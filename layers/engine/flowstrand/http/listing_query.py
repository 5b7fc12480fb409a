"""What may be asked of the list of executions: `?status=&kind=&metadata.{key}=&createdAfter=&createdBefore=&limit=&cursor=`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, model_validator

from flowstrand.engine.events import WorkflowStatus
from flowstrand.engine.names import KIND_PATTERN
from flowstrand.engine.schema import epoch_ms
from flowstrand.errors import InvalidInput
from flowstrand.http.query import Query, WholeNumber
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.listing import DEFAULT_LIMIT, MAX_LIMIT, Filter

MAX_METADATA = 10
"""How many keys of the metadata may be filtered by at once."""

_METADATA = "metadata."
_CURSOR = re.compile(r"[0-9]{13}#[A-Za-z0-9][A-Za-z0-9._-]{0,511}")
_MAX_CURSOR = 1_024


def _is_moment(text: str) -> str:
    epoch_ms(text)
    return text


Moment = Annotated[
    str,
    Field(json_schema_extra={"format": "date-time"}),
    StringConstraints(max_length=64),
    AfterValidator(_is_moment),
]


Metadata = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1)], str],
    Field(max_length=MAX_METADATA),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": r"^metadata\..+$"},
            "additionalProperties": {"type": "string"},
            "maxProperties": MAX_METADATA,
        }
    ),
]


class ListingQuery(Query):
    """A page of the list of executions."""

    status: Annotated[WorkflowStatus | None, Field(description="Only executions with this status.")] = None
    kind: Annotated[
        Annotated[str, StringConstraints(pattern=KIND_PATTERN)] | None,
        Field(description="Only executions of this kind."),
    ] = None
    metadata: Annotated[
        Metadata,
        Field(
            description="`metadata.{key}={text}`: only executions whose metadata has that, as text; one for each key."
        ),
    ] = Field(default_factory=dict)
    created_after: Annotated[Moment | None, Field(description="Only those created at this moment or later.")] = (
        None
    )
    created_before: Annotated[Moment | None, Field(description="Only those created before this moment.")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most."), WholeNumber] = DEFAULT_LIMIT
    cursor: Annotated[
        str | None, Field(description="The `nextCursor` of the page before; none for the first page.")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _gather_metadata(cls, given: Mapping[str, str]) -> dict[str, Any]:
        """Each key is a parameter of its own."""
        found = {name.removeprefix(_METADATA): text for name, text in given.items() if name.startswith(_METADATA)}
        return {**given, "metadata": found}

    def to_filter(self) -> Filter:
        """Which executions are asked for."""
        return Filter(
            status=self.status,
            kind=self.kind,
            metadata=self.metadata,
            created_from_ms=None if self.created_after is None else epoch_ms(self.created_after),
            created_before_ms=None if self.created_before is None else epoch_ms(self.created_before),
        )

    def after(self) -> str:
        """Where the page starts: where another one has said that the next one does; empty for the first.

        Raises:
            InvalidInput: `INVALID_CURSOR`: no page has said that.
        """
        if self.cursor is None:
            return ""
        position = _decoded(self.cursor)
        if position is None:
            fault = "must be the nextCursor of another page"
            details: list[JsonObject] = [{"pointer": "/cursor", "message": fault}]
            raise InvalidInput(f"cursor {fault}", code="INVALID_CURSOR", details=details)
        return position


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
