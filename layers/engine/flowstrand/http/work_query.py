"""What may be asked of an execution's tasks, children and state: `?status=&limit=&cursor=`, `?key=`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from flowstrand.http.query import Query, WholeNumber
from flowstrand.service.work_listing import Cursor, Stage

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000


class WorkQuery(Query):
    """A page of an execution's tasks or children."""

    status: Annotated[Stage | None, Field(description="`open` or `ended`; none for both.")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most."), WholeNumber] = DEFAULT_LIMIT
    cursor: Annotated[
        Annotated[str, StringConstraints(pattern=r"^(open|ended)\.[0-9]{1,15}$")] | None,
        Field(description="The `nextCursor` of the page before; none for the first page."),
    ] = None

    def start(self) -> Cursor:
        """Where the page starts: where another one has said that the next one does."""
        if self.cursor is None:
            return Cursor(stage=Stage.OPEN)
        stage, _, after = self.cursor.partition(".")
        return Cursor(stage=Stage(stage), after=int(after))


class StateQuery(Query):
    """A workflow's own state."""

    key: Annotated[str | None, Field(description="Only this key.")] = None


def cursor_text(cursor: Cursor) -> str:
    """A cursor as pages tell it."""
    return f"{cursor.stage}.{cursor.after}"
