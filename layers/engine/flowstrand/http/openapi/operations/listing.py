"""The list of executions."""

from __future__ import annotations

from flowstrand.http.listing_query import ListingQuery
from flowstrand.http.listing_responses import ExecutionsFound
from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import INVALID_CURSOR
from flowstrand.service.keys import Principal

OPERATIONS = (
    Operation(
        method="GET",
        path="/workflow-executions",
        name="listExecutions",
        tag="executions",
        summary="Executions, the newest first",
        description="The list follows the logs, and may lag behind them; each execution says as of which sequence it is.",
        principal=Principal.USER,
        query=ListingQuery,
        answers={200: Answer(meaning="A page.", body=ExecutionsFound)},
        refusals=(INVALID_CURSOR,),
    ),
)
