"""`Operation`: one route as its callers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.http.body import RequestBody
from flowstrand.http.openapi import parameters, refusals
from flowstrand.http.openapi.refusals import Refusal
from flowstrand.http.query import Query
from flowstrand.http.response_body import ResponseBody
from flowstrand.service.keys import Principal

ORG = "/api/orgs/{org}"
"""What paths begin with."""
STREAMS = "/v1/stream/orgs/{org}"
"""What those of the Durable Streams protocol begin with."""

Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request that was not refused gets.

    Attributes:
        meaning: a sentence.
        body: the JSON; None for none.
        is_stream: whether Server-Sent Events come instead of JSON.
        is_any: whether what comes is of the type that the stream was made with, or Server-Sent Events for those who asked.
        headers: what the head tells in any case.
        frame: the schema of one of these.
        has_location: whether `Location` names what was made.
    """

    meaning: str
    body: type[ResponseBody] | None = None
    is_stream: bool = False
    is_any: bool = False
    headers: tuple[str, ...] = ()
    frame: str = "StreamFrame"
    has_location: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method and a path, what they take and what they answer.

    Attributes:
        path: below `base`; parameters are written as `{name}` and known to `http.openapi.parameters`.
        name: unique; what generated clients call it.
        summary: a line.
        description: what the line does not say.
        query, headers: what is taken besides the path.
        takes_ticket: whether a stream ticket will do in place of a key.
        takes_any: whether the body may be of any type.
        answers: by status.
        refusals: those that are this route's own. `all_refusals` has those of every route besides.
    """

    method: Method
    path: str
    name: str
    tag: str
    summary: str
    description: str = ""
    principal: Principal
    body: type[RequestBody] | None = None
    query: type[Query] | None = None
    headers: type[Query] | None = None
    takes_ticket: bool = False
    takes_any: bool = False
    base: str = ORG
    answers: Mapping[int, Answer]
    refusals: tuple[Refusal, ...] = field(default=())

    @property
    def resource(self) -> str:
        """The whole path."""
        return self.base + self.path

    def all_refusals(self) -> tuple[Refusal, ...]:
        """Every way in which this route refuses a request, by status and code."""
        found = [*refusals.EVERYWHERE, *self.refusals]
        if self.takes_any:
            found += refusals.WITH_BODY
        if self.body is not None:
            found += refusals.WITH_BODY
            found += [refusals.NOT_SUPPORTED] if self.body.not_supported else []
        found += refusals.WITH_TICKETS if self.takes_ticket else ()
        if any(parameters.can_be_wrong(model) for model in (self.query, self.headers) if model is not None):
            found += refusals.WITH_PARAMETERS
        return refusals.one_for_each_code(found)
