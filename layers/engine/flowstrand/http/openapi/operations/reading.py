"""History, long-poll and live streams."""

from __future__ import annotations

from flowstrand.http.consolidated_query import ConsolidatedQuery, LastCursor
from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import (
    CURSOR_EXPIRED,
    EXECUTION_EXPIRED,
    EXECUTION_NOT_FOUND,
    FEED_EXPIRED,
    INVALID_CURSOR,
    POSITION_BEYOND_TAIL,
    TOO_MANY_DESCENDANTS,
)
from flowstrand.http.reading_query import FeedQuery, HistoryQuery, LastEventId, StreamQuery
from flowstrand.http.reading_responses import HistoryFound
from flowstrand.service.keys import Principal

TAG = "reading"

OPERATIONS = (
    Operation(
        method="GET",
        path="/workflow-executions/{executionId}/events",
        name="readEvents",
        tag=TAG,
        summary="A page of history, or a long-poll",
        description=(
            "With `wait`, the answer comes as soon as there is an event behind `after`, or after that many seconds "
            "without any. Strongly consistent."
        ),
        principal=Principal.USER,
        takes_ticket=True,
        query=HistoryQuery,
        answers={200: Answer(meaning="Consecutive events.", body=HistoryFound)},
        refusals=(EXECUTION_NOT_FOUND, POSITION_BEYOND_TAIL, EXECUTION_EXPIRED, CURSOR_EXPIRED),
    ),
    Operation(
        method="GET",
        path="/workflow-executions/{executionId}/stream",
        name="streamEvents",
        tag=TAG,
        summary="History and whatever comes, as Server-Sent Events",
        description=(
            "`id:` is an event's sequence. The response ends by itself after about 55 seconds; reconnecting with the "
            "last id goes on from there, and is answered with 204 once nothing can follow."
        ),
        principal=Principal.USER,
        takes_ticket=True,
        query=StreamQuery,
        headers=LastEventId,
        answers={
            200: Answer(meaning="Events, until the execution or the response ends.", is_stream=True),
            204: Answer(meaning="The execution has ended, and the reader has its last event."),
        },
        refusals=(EXECUTION_NOT_FOUND, POSITION_BEYOND_TAIL, EXECUTION_EXPIRED, CURSOR_EXPIRED),
    ),
    Operation(
        method="GET",
        path="/events/stream",
        name="streamFeed",
        tag=TAG,
        summary="The events of all of an org's executions and tasks, as Server-Sent Events",
        description=(
            "`id:` is the event's place in the feed. Events of one execution come in its order, each once; what running tasks emit "
            "does not come. A state change says besides which execution it is of (`workflowExecutionId` or `taskExecutionId`) and "
            "its `sequence` there. A feed has no end: the response ends by itself after about 55 seconds, and reconnecting with the "
            "last id goes on from there."
        ),
        principal=Principal.USER,
        takes_ticket=True,
        query=FeedQuery,
        headers=LastEventId,
        answers={200: Answer(meaning="Events, until the response ends.", is_stream=True)},
        refusals=(POSITION_BEYOND_TAIL, FEED_EXPIRED),
    ),
    Operation(
        method="GET",
        path="/workflow-executions/{executionId}/stream/consolidated",
        name="streamTree",
        tag=TAG,
        summary="An execution and all its descendants, as Server-Sent Events",
        description=(
            "Every log in its own order, and no consequence before its cause: a child's end comes before its parent says "
            "so. `id:` is a cursor, opaque but for whose event it came with. At most 100 descendants may be open at a time."
        ),
        principal=Principal.USER,
        takes_ticket=True,
        query=ConsolidatedQuery,
        headers=LastCursor,
        answers={
            200: Answer(
                meaning="Events, until all has ended or the response ends.",
                is_stream=True,
                frame="ConsolidatedFrame",
            ),
            204: Answer(meaning="All has ended, and the reader has the last event."),
        },
        refusals=(
            EXECUTION_NOT_FOUND,
            INVALID_CURSOR,
            EXECUTION_EXPIRED,
            CURSOR_EXPIRED,
            TOO_MANY_DESCENDANTS,
        ),
    ),
)
