"""Stream tickets."""

from __future__ import annotations

from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.http.openapi.refusals import EXECUTION_NOT_FOUND, TASK_NOT_FOUND, TASK_OF_WORKFLOW
from flowstrand.http.ticket_requests import CreateTicket, TicketIssued
from flowstrand.service.keys import Principal

TAG = "tickets"

OPERATIONS = (
    Operation(
        method="POST",
        path="/stream-tickets",
        name="createStreamTicket",
        tag=TAG,
        summary="Exchange a key for a stream ticket",
        description=(
            "An `EventSource` cannot send a header, so it shows a ticket: `?ticket=` on the routes that read. A ticket is for one org and "
            "one thing, lives for some minutes, and does nothing but read."
        ),
        principal=Principal.USER,
        body=CreateTicket,
        answers={201: Answer(meaning="The ticket.", body=TicketIssued)},
        refusals=(EXECUTION_NOT_FOUND, TASK_NOT_FOUND, TASK_OF_WORKFLOW),
    ),
)
