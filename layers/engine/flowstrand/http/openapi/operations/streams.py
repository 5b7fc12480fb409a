"""The Durable Streams protocol. Headers and statuses are the protocol's; refusals are like everywhere else."""

from __future__ import annotations

from collections.abc import Iterator

from flowstrand.http.durable_headers import AppendHeaders, CreateHeaders
from flowstrand.http.durable_query import DurableQuery
from flowstrand.http.openapi.operation import STREAMS, Answer, Operation
from flowstrand.http.openapi.refusals import (
    BUSY,
    CHANNEL_CLOSED,
    CHANNEL_EXISTS,
    CHANNEL_NOT_FOUND,
    CONTENT_TYPE_MISMATCH,
    CURSOR_EXPIRED,
    EXECUTION_EXPIRED,
    EXECUTION_NOT_FOUND,
    FEED_EXPIRED,
    POSITION_BEYOND_TAIL,
    PRODUCER_GAP,
    SEQUENCE_REGRESSION,
    STALE_EPOCH,
    Refusal,
)
from flowstrand.service.keys import Principal

TAG = "streams"

_OFFSET = ("Stream-Next-Offset",)
_READING = (
    "Without `live`, what follows `offset`, as much as fits into one answer. With `live=long-poll`, the answer comes as soon as "
    "there is something. With `live=sse`, Server-Sent Events: `data`, and after each what offset that is, in `control`. "
    "`Stream-Up-To-Date` says that there is no more now, `Stream-Closed` that there never will be."
)


def _reading(
    path: str, name: str, what: str, *, missing: tuple[Refusal, ...], gone: tuple[Refusal, ...]
) -> Iterator[Operation]:
    yield Operation(
        method="GET",
        base=STREAMS,
        path=path,
        name=f"read{name}",
        tag=TAG,
        summary=f"Read {what}",
        description=_READING,
        principal=Principal.USER,
        query=DurableQuery,
        takes_ticket=True,
        answers={
            200: Answer(
                meaning="What follows the offset, and in its head or in it where to read on.", is_any=True
            ),
            204: Answer(meaning="Nothing has come while the reader waited, or nothing will.", headers=_OFFSET),
            304: Answer(meaning="The reader has it: `If-None-Match` names it.", headers=_OFFSET),
        },
        refusals=(*missing, POSITION_BEYOND_TAIL, *gone),
    )
    yield Operation(
        method="HEAD",
        base=STREAMS,
        path=path,
        name=f"find{name}",
        tag=TAG,
        summary=f"Where {what} ends",
        principal=Principal.USER,
        takes_ticket=True,
        answers={200: Answer(meaning="It is there, and ends at the offset.", headers=_OFFSET)},
        refusals=missing,
    )


OPERATIONS = (
    *_reading(
        "/executions/{executionId}",
        "ExecutionStream",
        "an execution's log",
        missing=(EXECUTION_NOT_FOUND,),
        gone=(EXECUTION_EXPIRED, CURSOR_EXPIRED),
    ),
    *_reading("/events", "FeedStream", "the org's feed", missing=(), gone=(FEED_EXPIRED,)),
    *_reading("/channels/{name}", "Channel", "a channel", missing=(CHANNEL_NOT_FOUND,), gone=(CURSOR_EXPIRED,)),
    Operation(
        method="PUT",
        base=STREAMS,
        path="/channels/{name}",
        name="createChannel",
        tag=TAG,
        summary="Make a channel",
        description=(
            "It holds what `Content-Type` says, and begins with the body. Of `application/json`, the elements of an array are "
            "messages of their own."
        ),
        principal=Principal.USER,
        headers=CreateHeaders,
        takes_any=True,
        answers={
            200: Answer(meaning="It was there, and made the same way.", headers=_OFFSET),
            201: Answer(meaning="It is made.", headers=_OFFSET, has_location=True),
        },
        refusals=(CHANNEL_EXISTS, BUSY),
    ),
    Operation(
        method="POST",
        base=STREAMS,
        path="/channels/{name}",
        name="appendToChannel",
        tag=TAG,
        summary="Append to a channel, or close it",
        description=(
            "A body without a type, and an empty one, are refused, unless `Stream-Closed: true` only closes the channel. What an "
            "idempotent producer repeats is appended once."
        ),
        principal=Principal.USER,
        headers=AppendHeaders,
        takes_any=True,
        answers={
            200: Answer(meaning="A producer's body is appended.", headers=_OFFSET),
            204: Answer(meaning="It is appended, or was before.", headers=_OFFSET),
        },
        refusals=(
            STALE_EPOCH,
            CHANNEL_NOT_FOUND,
            CHANNEL_CLOSED,
            CONTENT_TYPE_MISMATCH,
            SEQUENCE_REGRESSION,
            PRODUCER_GAP,
            BUSY,
        ),
    ),
    Operation(
        method="DELETE",
        base=STREAMS,
        path="/channels/{name}",
        name="deleteChannel",
        tag=TAG,
        summary="Remove a channel and what is in it",
        principal=Principal.USER,
        answers={204: Answer(meaning="It is removed, and the name free.")},
        refusals=(CHANNEL_NOT_FOUND, BUSY),
    ),
)
