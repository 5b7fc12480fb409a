"""Writing channels under the Durable Streams protocol: making, appending, closing, removing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.errors import Conflict, InvalidInput, WrongPrincipal
from flowstrand.http.application import call_of
from flowstrand.http.durable_headers import ALWAYS, append_headers, content_type, create_headers
from flowstrand.http.errors import no_route
from flowstrand.service.channels import appending, opening, removing
from flowstrand.service.channels.appending import Appended, Closed, Early, Fenced, Message, Repeated
from flowstrand.service.channels.content import DEFAULT_TYPE
from flowstrand.service.channels.opening import Wanted
from flowstrand.service.channels.standing import Standing
from flowstrand.streams.durable.channel import lifetime_headers, offsets_of

STREAMS = "/v1/stream/orgs/<org>"
CHANNEL = f"{STREAMS}/channels/<name>"
EXECUTION = f"{STREAMS}/executions/<execution_id>"
FEED = f"{STREAMS}/events"
_READING = ("GET", "HEAD")
_WRITING = ["PUT", "POST", "DELETE"]

router = Router()


@router.put(CHANNEL)
def create(request: Request, org: str, name: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: the channel is made; 200: it was there, made the same way."""
    call, headers = call_of(request), create_headers(_head(request))
    wanted = Wanted(
        content_type=content_type(_head(request)) or DEFAULT_TYPE,
        body=_body(request),
        ttl_s=headers.ttl_s,
        expires_at_ms=headers.expires_at_ms,
        is_closed=headers.closes,
    )
    opened = opening.open_channel(call.services, call.org, unquote(name), wanted)
    channel = opened.standing.channel
    answered = {
        "Content-Type": channel.content_type,
        **lifetime_headers(channel),
        **_position(opened.standing),
    }
    return _answer(201, answered | {"Location": _url(request)}) if opened.is_new else _answer(200, answered)


@router.post(CHANNEL)
def append(request: Request, org: str, name: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """204: it is appended; 200, if it is a producer's. 204 as well if it had been before."""
    call, headers = call_of(request), append_headers(_head(request))
    message = Message(
        body=_body(request),
        content_type=content_type(_head(request)),
        closes=headers.closes,
        seq=headers.seq,
        claim=headers.claim,
    )
    outcome = appending.append_message(call.services, call.org, unquote(name), message)
    match outcome:
        case Appended(standing=standing):
            return _appended(standing, message)
        case Repeated(standing=standing, last=last):
            return _answer(
                204, _position(standing) | ({} if last is None else _claimed(last.epoch, last.sequence))
            )
        case Closed(standing=standing):
            raise Conflict("the channel is closed", code="CHANNEL_CLOSED", headers=_position(standing))
        case Fenced(epoch=epoch):
            message_ = "a producer of a higher epoch has taken over"
            raise WrongPrincipal(message_, code="STALE_EPOCH", headers={"Producer-Epoch": str(epoch)})
        case Early(expected=expected, received=received):
            raise Conflict(
                "what the producer sent before this has not come",
                code="PRODUCER_GAP",
                headers={"Producer-Expected-Seq": str(expected), "Producer-Received-Seq": str(received)},
            )


@router.delete(CHANNEL)
def delete(request: Request, org: str, name: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """204: the channel is removed, and its name free."""
    call = call_of(request)
    removing.remove(call.services, call.org, unquote(name))
    return _answer(204, {})


@router.route(EXECUTION, method=_WRITING)
def refuse_execution(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - Powertools' names
    """405: only an execution itself writes to its log."""
    return no_route(_READING)


@router.route(FEED, method=_WRITING)
def refuse_feed(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - Powertools' names
    """405: a feed follows its logs, and nothing else is written to it."""
    return no_route(_READING)


def _appended(standing: Standing, message: Message) -> Response[str]:
    claim = message.claim
    if claim is None:
        return _answer(204, _position(standing))
    status = 200 if message.body else 204
    return _answer(status, _position(standing) | _claimed(claim.epoch, claim.sequence))


def _position(standing: Standing) -> dict[str, str]:
    headers = {"Stream-Next-Offset": offsets_of(standing.channel).of(standing.sequence)}
    if standing.state.is_closed:
        headers["Stream-Closed"] = "true"
    return headers


def _claimed(epoch: int, sequence: int) -> dict[str, str]:
    return {"Producer-Epoch": str(epoch), "Producer-Seq": str(sequence)}


def _head(request: Request) -> Mapping[str, str]:
    headers: Mapping[str, str] = request.resolved_event.raw_event.get("headers") or {}
    return headers


def _body(request: Request) -> bytes:
    raw: str = request.resolved_event.raw_event.get("body") or ""
    if not request.resolved_event.is_base64_encoded:
        return raw.encode()
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise InvalidInput("the body did not arrive whole") from error


def _url(request: Request) -> str:
    """The URL that was asked for, from the outside."""
    event = request.resolved_event.raw_event
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    host, scheme = headers.get("host", "localhost"), headers.get("x-forwarded-proto")
    path = event["path"] if scheme is None else event["requestContext"].get("path", event["path"])
    return f"{scheme or 'http'}://{host}{path}"


def _answer(status: int, headers: Mapping[str, str]) -> Response[str]:
    return Response(status_code=status, body="", headers={**ALWAYS, "Cache-Control": "no-store", **headers})
