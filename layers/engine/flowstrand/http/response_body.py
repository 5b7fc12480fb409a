"""`ResponseBody`, and what several of them show. The contract's field names; an optional field that is absent is left out, not null."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonObject

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339, UTC, with milliseconds."""


class ResponseBody(BaseModel):
    """Base of response bodies: camelCase, and only the fields that were given."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True, defer_build=True)

    def body(self) -> JsonObject:
        """As JSON."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class ErrorView(ResponseBody):
    """What went wrong in workflow or task code; `retryable` is false where trying again cannot help."""

    type: str
    message: str
    stack: str | None = None
    retryable: bool | None = None


class Links(ResponseBody):
    """Where an execution can be read, from the server's root."""

    itself: str = Field(alias="self")
    events: str
    stream: str

    @classmethod
    def of(cls, org: OrgId, execution_id: str) -> Links:
        """The paths of one execution."""
        itself = f"/api/orgs/{org}/workflow-executions/{execution_id}"
        return cls(itself=itself, events=f"{itself}/events", stream=f"{itself}/stream")


class Recorded(ResponseBody):
    """The sequence that the event of a report or a request has."""

    sequence: int
