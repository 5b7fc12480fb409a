"""Appending to a channel, and closing it: `POST`.

One conditional write at the tail + 1 (law 2), decided on the tail's checkpoint alone (law 11): a writer whose place is taken
reads the tail again and decides again. What a producer is told follows from the same commit that holds what it sent, so
that neither is ever there without the other.
"""

from __future__ import annotations

from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.errors import Conflict, InvalidInput, Unavailable
from flowstrand.log.port import AppendConflict
from flowstrand.service import append
from flowstrand.service.channels import producers, standing
from flowstrand.service.channels.commits import Body, body_of, commit_of
from flowstrand.service.channels.content import is_json, media_type
from flowstrand.service.channels.producers import Claim
from flowstrand.service.channels.rows import Channel
from flowstrand.service.channels.standing import Standing
from flowstrand.service.container import Services

_CONFLICTS = 20
"""How often an append may lose its place before its caller is told to try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent.

    Attributes:
        content_type: None for none, which only a close without a body may have.
        closes: nothing is to follow.
        seq: to be greater than every one before, byte by byte; None for any.
        claim: of an idempotent producer; None for none.
    """

    body: bytes
    content_type: str | None
    closes: bool = False
    seq: str | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """It is in, and where the channel ends with it."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Repeated:
    """It was in before; `last` is the newest of its producer that is; None where a channel that is closed was to be closed."""

    standing: Standing
    last: Claim | None


@dataclass(frozen=True, slots=True)
class Closed:
    """The channel is closed, and takes nothing more."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Fenced:
    """A producer of a higher epoch has taken over."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Early:
    """What the producer sent before this has not come."""

    expected: int
    received: int


Outcome: TypeAlias = Appended | Repeated | Closed | Fenced | Early


def append_message(services: Services, org: OrgId, name: str, message: Message) -> Outcome:
    """Append to the channel, unless it says otherwise.

    Raises:
        NotFound: there is no such channel (`CHANNEL_NOT_FOUND`).
        InvalidInput: it has no body or no type, is no JSON where that is called for, or a new epoch does not begin at 0.
        Conflict: it has another type (`CONTENT_TYPE_MISMATCH`), or its `seq` is not greater (`SEQUENCE_REGRESSION`).
        PayloadTooLarge: it is over `Settings.max_payload_bytes`.
        Unavailable: too many others write (`BUSY`).
    """
    body: Body | None = None
    backoff = append.Backoff(services)
    for _ in range(_CONFLICTS):
        channel = standing.require_row(services, org, name)
        with services.turnstile.alone(channel.key):
            found = standing.require_standing(services, channel)
            body = body or _body(services, channel, message)
            outcome = _try(services, found, message, body)
        if outcome is not None:
            return outcome
        backoff.wait()
    raise Unavailable(f"channel {name} is busy; try again", code="BUSY", retry_after_s=1)


def _body(services: Services, channel: Channel, message: Message) -> Body:
    if message.closes and not message.body:
        return Body(stored=b"", size=0, messages=0)
    if not message.body:
        raise InvalidInput("there is nothing to append")
    if message.content_type is None:
        raise InvalidInput("what is appended has a content type")
    if media_type(message.content_type) != media_type(channel.content_type):
        raise Conflict(f"the channel holds {channel.content_type}", code="CONTENT_TYPE_MISMATCH")
    body = body_of(services, channel.org, channel.content_type, message.body)
    if is_json(channel.content_type) and not body.messages:
        raise InvalidInput("an empty array has no message to append")
    return body


def _try(services: Services, found: Standing, message: Message, body: Body) -> Outcome | None:
    """What comes of an append at this tail; None where somebody else's commit has taken its place."""
    state = found.state
    refused = _judged(found, message.claim)
    if refused is not None:
        return refused
    if state.is_closed:
        return Repeated(found, None) if message.claim is None and not message.body else Closed(found)
    if message.seq is not None and state.last_seq is not None and _bytes(message.seq) <= _bytes(state.last_seq):
        raise Conflict("Stream-Seq is not greater than the last one", code="SEQUENCE_REGRESSION")
    after = state.after(
        size=body.size, messages=body.messages, closes=message.closes, seq=message.seq, claim=message.claim
    )
    commit = commit_of(
        services,
        found.channel.key,
        sequence=found.sequence + 1,
        body=body,
        state=after,
        not_before_ms=found.tail.written_at_ms,
    )
    try:
        append.put(services, commit)
    except AppendConflict:
        return None
    return Appended(Standing(found.channel, commit))


def _judged(found: Standing, claim: Claim | None) -> Outcome | None:
    """What becomes of a producer's request that is not its next; None for one that is, and for those without a producer."""
    if claim is None:
        return None
    match producers.judge(found.state.producers, claim):
        case producers.New():
            return None
        case producers.Duplicate(last=last):
            return Repeated(found, last)
        case producers.Stale(epoch=epoch):
            return Fenced(epoch)
        case producers.Missing(expected=expected):
            return Closed(found) if found.state.is_closed else Early(expected, claim.sequence)
        case producers.NotFromZero():
            raise InvalidInput("a new epoch of a producer begins with sequence 0")


def _bytes(text: str) -> bytes:
    return text.encode()
