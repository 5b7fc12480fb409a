"""Listing executions."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.errors import json_response
from flowstrand.http.listing_query import ListingQuery
from flowstrand.http.listing_responses import ExecutionsFound
from flowstrand.http.query import read_query
from flowstrand.service import listing

router = Router()


@router.get(f"{ORG}/workflow-executions")
def listed(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: executions, the newest first: `?status=&kind=&metadata.{key}=&createdAfter=&createdBefore=&limit=&cursor=`."""
    call, query = call_of(request), read_query(request, ListingQuery)
    page = listing.page(call.services, call.org, query.to_filter(), after=query.after(), limit=query.limit)
    return json_response(200, ExecutionsFound.of(call.org, page).body())
