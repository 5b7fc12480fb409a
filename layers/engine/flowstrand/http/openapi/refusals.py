"""Every code that an answer's `code` can hold: its status and what it means. `docs/http-api.md` lists the same.

A refusal of the gateway is one that no handler gives: API Gateway's own, which the stack's template puts into the same shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flowstrand.dataclass import dataclass
from flowstrand.errors import (
    CallerError,
    Conflict,
    Gone,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    QuotaExceeded,
    StoreUnavailable,
    Unauthenticated,
    Unavailable,
    UnprocessableInput,
    WrongPrincipal,
)
from flowstrand.service.tickets import TicketExpired


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One way in which a request is refused.

    Attributes:
        meaning: a sentence for whoever reads the code.
        by_gateway: whether API Gateway alone gives it.
    """

    status: int
    code: str
    meaning: str
    by_gateway: bool = False


def _of(error: type[CallerError], meaning: str, code: str | None = None, *, by_gateway: bool = False) -> Refusal:
    return Refusal(status=error.status, code=code or error.code, meaning=meaning, by_gateway=by_gateway)


# --- any route ------------------------------------------------------------------------------------

UNAUTHENTICATED = _of(Unauthenticated, "There is no credential, or it is not a valid one.")
TICKET_EXPIRED = _of(TicketExpired, "The ticket's time has passed; ask for another.")
WRONG_PRINCIPAL = _of(
    WrongPrincipal, "The caller is the other principal: users' routes and workers' are for their own."
)
TICKET_OUT_OF_SCOPE = _of(WrongPrincipal, "The ticket was made for something else.", "TICKET_OUT_OF_SCOPE")
NOT_FOUND = _of(
    NotFound, "The path names an org that is not the caller's. Nothing is said about whether it exists."
)
QUOTA_EXCEEDED = _of(
    QuotaExceeded,
    "The org is over one of its quotas, or there are too many requests; nothing was done. Repeat it after `Retry-After` seconds.",
    by_gateway=True,
)
USAGE_LIMIT_REACHED = _of(
    QuotaExceeded,
    "The org has used up what its usage plan lets it use in a day, a week or a month; nothing was done. It does not help to repeat it soon.",
    "USAGE_LIMIT_REACHED",
    by_gateway=True,
)
STORE_UNAVAILABLE = Refusal(
    status=503,
    code=StoreUnavailable.code,
    meaning="The store is throttled or failing. The request may have had its effect; repeating it is safe.",
)
UNAVAILABLE = _of(
    Unavailable,
    "It could not be found out who is calling or how much they may use, the answer took too long, or the server is stopping; repeat the request.",
    by_gateway=True,
)

# --- what a request holds -------------------------------------------------------------------------

MALFORMED_JSON = _of(
    InvalidInput, "The body is not JSON: cut off, not UTF-8, NaN, a lone surrogate, too deep.", "MALFORMED_JSON"
)
INVALID_INPUT = _of(InvalidInput, "A field, a query parameter or a header does not fit; `details` points at each.")
NOT_SUPPORTED = _of(
    InvalidInput,
    "The body has a field that this version does not support; `details` points at it.",
    "NOT_SUPPORTED",
)
INVALID_CURSOR = _of(InvalidInput, "The cursor is not one that a page or a stream has told.", "INVALID_CURSOR")
INVALID_PAYLOAD = _of(
    InvalidInput,
    "What stands for an uploaded value is not well formed, or what was uploaded is no JSON.",
    "INVALID_PAYLOAD",
)
INVALID_SCHEMA = _of(
    InvalidInput, "A definition's schema is no JSON Schema; `details` says where.", "INVALID_SCHEMA"
)
UNPROCESSABLE_INPUT = _of(
    UnprocessableInput, "The input does not fit the workflow's schema; `details` points at each fault."
)
POSITION_BEYOND_TAIL = _of(
    InvalidInput, "`after`, `Last-Event-ID` or `offset` lies beyond the end.", "POSITION_BEYOND_TAIL"
)
PAYLOAD_TOO_LARGE = _of(PayloadTooLarge, "The body is over 1 MiB, or a part of it over what that part may have.")

TOO_MANY_DESCENDANTS = _of(
    UnprocessableInput,
    "More descendants are open than one consolidated stream follows at a time; follow them one by one.",
    "TOO_MANY_DESCENDANTS",
)

# --- what it names --------------------------------------------------------------------------------

EXECUTION_NOT_FOUND = _of(NotFound, "There is no such execution, or it is another org's.", "EXECUTION_NOT_FOUND")
TASK_NOT_FOUND = _of(NotFound, "There is no such task, or it is another org's.", "TASK_NOT_FOUND")
PROMISE_NOT_FOUND = _of(NotFound, "There is no such promise, or it is another org's.", "PROMISE_NOT_FOUND")
SCHEDULE_NOT_FOUND = _of(NotFound, "There is no such schedule, or it is another org's.", "SCHEDULE_NOT_FOUND")
WORKER_NOT_FOUND = _of(
    NotFound,
    "There is no such worker, or nothing was heard of it for minutes: it is to register.",
    "WORKER_NOT_FOUND",
)
UNKNOWN_WORKFLOW_KIND = _of(
    NotFound, "No deployed app and no registered worker knows a workflow of this kind.", "UNKNOWN_WORKFLOW_KIND"
)
UNKNOWN_TASK_KIND = _of(
    NotFound, "No deployed app and no registered worker knows a task of this kind.", "UNKNOWN_TASK_KIND"
)
CHANNEL_NOT_FOUND = _of(
    NotFound,
    "There is no channel of this name, its time has run out, or it is another org's.",
    "CHANNEL_NOT_FOUND",
)
PAYLOAD_NOT_FOUND = _of(
    NotFound, "Nothing was uploaded under this id, or it is another org's.", "PAYLOAD_NOT_FOUND"
)

EXECUTION_EXPIRED = _of(
    Gone,
    "The execution ended too long ago for its log to be kept; how it ended can still be asked.",
    "EXECUTION_EXPIRED",
)
CURSOR_EXPIRED = _of(Gone, "What follows the position is not kept any more.", "CURSOR_EXPIRED")
FEED_EXPIRED = _of(
    Gone, "What follows the position in the org's feed is not kept any more; begin again.", "FEED_EXPIRED"
)

# --- what stands in its way -----------------------------------------------------------------------

IDEMPOTENCY_KEY_REUSED = _of(
    Conflict, "The key stands for an execution of another kind, or with another input.", "IDEMPOTENCY_KEY_REUSED"
)
EXECUTION_NOT_FAILED = _of(
    Conflict, "Only a failed execution can be retried, and this one is not.", "EXECUTION_NOT_FAILED"
)
EXECUTION_CLOSED = _of(
    Conflict, "The execution has ended, and nothing is appended to its log.", "EXECUTION_CLOSED"
)
TASK_OF_WORKFLOW = _of(
    Conflict, "The task is part of an execution, which has its events and alone can cancel it.", "TASK_OF_WORKFLOW"
)
CHANNEL_EXISTS = _of(
    Conflict, "There is a channel of this name of another type, with another end, or closed.", "CHANNEL_EXISTS"
)
CHANNEL_CLOSED = _of(Conflict, "The channel is closed, and takes nothing more.", "CHANNEL_CLOSED")
CONTENT_TYPE_MISMATCH = _of(
    Conflict, "What is appended has another type than the channel.", "CONTENT_TYPE_MISMATCH"
)
SEQUENCE_REGRESSION = _of(
    Conflict, "`Stream-Seq` is not greater than that of an append before.", "SEQUENCE_REGRESSION"
)
PRODUCER_GAP = _of(
    Conflict,
    "What the producer has sent before this has not come; `Producer-Expected-Seq` says what is missing.",
    "PRODUCER_GAP",
)
STALE_EPOCH = _of(
    WrongPrincipal,
    "Another producer of this id has begun a higher epoch, which `Producer-Epoch` names.",
    "STALE_EPOCH",
)
SCHEDULE_CHANGED = _of(Conflict, "The schedule has another revision than the expected one.", "SCHEDULE_CHANGED")
SCHEDULE_EXISTS = _of(Conflict, "Another schedule has this id.", "SCHEDULE_EXISTS")
INVALID_LEASE = _of(
    Conflict, "The lease token is not one of this server's, or is for another task.", "INVALID_LEASE"
)
STALE_ATTEMPT = _of(
    Conflict,
    "The attempt is over: its lease ran out, it was reported, or the task was cancelled.",
    "STALE_ATTEMPT",
)
STREAM_LIMIT_REACHED = _of(
    PayloadTooLarge, "With these, the attempt would have streamed more than one may.", "STREAM_LIMIT_REACHED"
)
TASK_LOG_FULL = _of(PayloadTooLarge, "The attempt has logged as many batches as are kept of one.", "TASK_LOG_FULL")
STATE_TOO_LARGE = _of(
    PayloadTooLarge, "The values are too much for one answer; ask key by key.", "STATE_TOO_LARGE"
)
OVER_QUOTA = replace(QUOTA_EXCEEDED, by_gateway=False)
"""Of the routes that quotas are kept at; the gateway's throttle is at every route."""
BUSY = _of(
    Unavailable,
    "Too many others write to the same execution, schedule, queue or channel; repeat the request.",
    "BUSY",
)

EVERYWHERE = (
    UNAUTHENTICATED,
    WRONG_PRINCIPAL,
    NOT_FOUND,
    QUOTA_EXCEEDED,
    USAGE_LIMIT_REACHED,
    STORE_UNAVAILABLE,
    UNAVAILABLE,
)
"""What any route can answer."""
WITH_BODY = (MALFORMED_JSON, INVALID_INPUT, PAYLOAD_TOO_LARGE)
"""What a route that takes a body can answer besides."""
WITH_TICKETS = (TICKET_EXPIRED, TICKET_OUT_OF_SCOPE)
"""What a route that takes tickets can answer besides."""
WITH_PARAMETERS = (INVALID_INPUT,)
"""What a route can answer besides that takes parameters which not every text fits."""
OF_VALUES = (INVALID_PAYLOAD, PAYLOAD_NOT_FOUND)
"""What a route that takes a value can answer to one that was uploaded."""


def every_refusal() -> tuple[Refusal, ...]:
    """All of them, by status and code."""
    return one_for_each_code(value for value in globals().values() if isinstance(value, Refusal))


def one_for_each_code(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Those of different codes, by status and code; of several with one code the last, if it is a handler's."""
    found: dict[tuple[int, str], Refusal] = {}
    for refusal in refusals:
        if not refusal.by_gateway or (refusal.status, refusal.code) not in found:
            found[refusal.status, refusal.code] = refusal
    return tuple(found[key] for key in sorted(found))
