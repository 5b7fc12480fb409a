"""Looking at queues, pausing and limiting them."""

from __future__ import annotations

from flowstrand.http.list_query import ListQuery
from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import BUSY, INVALID_INPUT
from flowstrand.http.queue_requests import ControlQueue
from flowstrand.http.queue_responses import QueuesFound, QueueView
from flowstrand.service.keys import Principal

TAG = "queues"

OPERATIONS = (
    Operation(
        method="GET",
        path="/queues",
        name="listQueues",
        tag=TAG,
        summary="Queues that workers or operators have named, by name",
        principal=Principal.USER,
        query=ListQuery,
        answers={200: Answer(meaning="A page.", body=QueuesFound)},
    ),
    Operation(
        method="GET",
        path="/queues/{queue}",
        name="getQueue",
        tag=TAG,
        summary="What holds for a queue",
        description="A queue that nobody has named is active, without limits.",
        principal=Principal.USER,
        answers={200: Answer(meaning="The queue.", body=QueueView)},
        refusals=(INVALID_INPUT,),
    ),
    Operation(
        method="PUT",
        path="/queues/{queue}",
        name="controlQueue",
        tag=TAG,
        summary="Pause a queue, resume it, or limit it",
        description="What is left out stays as it is; null takes a limit away. Every process heeds it within two seconds.",
        principal=Principal.USER,
        body=ControlQueue,
        answers={200: Answer(meaning="What now holds.", body=QueueView)},
        refusals=(BUSY,),
    ),
)
