"""Response bodies of the routes of definitions."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.schema import rfc3339
from flowstrand.http.response_body import Moment, ResponseBody
from flowstrand.service import definitions
from flowstrand.service.definitions import DefinitionPage, Known


class DefinitionView(ResponseBody):
    """A task or workflow: its kind and what is known of it."""

    kind: str
    deployed: bool
    content_hash: str | None = None
    input_schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None
    queue: str | None = None
    description: str | None = None
    registered_at: Moment | None = None

    @classmethod
    def of(cls, known: Known) -> DefinitionView:
        """What `known` says."""
        given: dict[str, Any] = definitions.to_json(known.manifest)
        if known.registered_at_ms is not None:
            given["registeredAt"] = rfc3339(known.registered_at_ms)
        return cls.model_validate({**given, "deployed": known.is_deployed})


class DefinitionsFound(ResponseBody):
    """A page of definitions, by kind. `next_after` is there if there are more."""

    definitions: list[DefinitionView]
    next_after: str | None = None

    @classmethod
    def of(cls, page: DefinitionPage) -> DefinitionsFound:
        """What `page` holds."""
        views = [DefinitionView.of(known) for known in page.definitions]
        return (
            cls(definitions=views)
            if page.next_after is None
            else cls(definitions=views, next_after=page.next_after)
        )
