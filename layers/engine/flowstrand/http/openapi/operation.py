"""`Operation`: one route as its callers see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from flowstrand.http.body import RequestBody
from flowstrand.http.openapi import parameters, refusals
from flowstrand.http.openapi.refusals import Refusal
from flowstrand.http.query import Query
from flowstrand.http.responses import ResponseBody
from flowstrand.service.keys import Principal

ORG = "/api/orgs/{org}"
"""What every path begins with."""

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request that was not refused gets.

    Attributes:
        meaning: a sentence.
        body: the JSON; None for none.
        is_stream: whether Server-Sent Events come instead of JSON.
        frame: the schema of one of these.
        has_location: whether `Location` names what was made.
    """

    meaning: str
    body: type[ResponseBody] | None = None
    is_stream: bool = False
    frame: str = "StreamFrame"
    has_location: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method and a path, what they take and what they answer.

    Attributes:
        path: below an org; parameters are written as `{name}` and known to `http.openapi.parameters`.
        name: unique; what generated clients call it.
        summary: a line.
        description: what the line does not say.
        query, headers: what is taken besides the path.
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
    answers: Mapping[int, Answer]
    refusals: tuple[Refusal, ...] = field(default=())

    @property
    def resource(self) -> str:
        """The whole path."""
        return ORG + self.path

    def all_refusals(self) -> tuple[Refusal, ...]:
        """Every way in which this route refuses a request, by status and code."""
        found = [*refusals.EVERYWHERE, *self.refusals]
        if self.body is not None:
            found += refusals.WITH_BODY
            found += [refusals.NOT_SUPPORTED] if self.body.not_supported else []
        if any(parameters.can_be_wrong(model) for model in (self.query, self.headers) if model is not None):
            found += refusals.WITH_PARAMETERS
        return refusals.one_for_each_code(found)
