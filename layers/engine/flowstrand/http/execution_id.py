"""Ids of executions, as paths hold them."""

from __future__ import annotations

from flowstrand.engine.names import is_id
from flowstrand.errors import NotFound


def known(execution_id: str) -> str:
    """The id, which a store may be asked for.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`: no execution can have it.
    """
    if not is_id(execution_id):
        raise NotFound("there is no such execution", code="EXECUTION_NOT_FOUND")
    return execution_id
