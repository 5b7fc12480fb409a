"""A channel's commits as an export has them, and the commits that such appends are: one becomes the other, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowstrand.errors import HistoryRefused, InvalidInput
from flowstrand.histories.channel import Append, ChannelHistory, Sender, references_of
from flowstrand.histories.history import refused
from flowstrand.log.port import Commit
from flowstrand.log.records import StoredBody, pack_record, unpack_record
from flowstrand.log.rows import MAX_COMMIT_BYTES
from flowstrand.service.channels import content, producers
from flowstrand.service.channels.producers import Claim
from flowstrand.service.channels.state import ChannelState, pack_state, state_at


def appends_of(commits: Sequence[Commit]) -> tuple[Append, ...]:
    """What each commit has brought, told from what its checkpoint says that the one before does not.

    Raises:
        LogCorrupted: one of them is damaged, or of a version this code does not know.
    """
    appends: list[Append] = []
    before = ChannelState(name="")
    for commit in commits:
        state = state_at(commit)
        appends.append(_append(commit, before, state))
        before = state
    return tuple(appends)


def commits_of(channel: ChannelHistory) -> tuple[Commit, ...]:
    """The commits of its log, each with the state after it.

    Raises:
        HistoryRefused: `INVALID_EXPORT`: no channel can have come to this; `PAYLOAD_MISSING`: a body is not there.
    """
    if fault := _fault(channel):
        raise _refused(channel, fault)
    references = references_of(channel.appends)
    if missing := references.keys() - channel.payloads.keys():
        raise _refused(channel, f"has a body {min(missing)}, which is not in it", code="PAYLOAD_MISSING")
    try:
        return tuple(_commits(channel))
    except (_Impossible, InvalidInput) as error:
        raise _refused(channel, str(error)) from error


class _Impossible(Exception):
    """An append that would have been refused."""


def _append(commit: Commit, before: ChannelState, state: ChannelState) -> Append:
    claim = state.producers[-1] if state.producers != before.producers else None
    return Append(
        sequence=commit.sequence,
        written_at_ms=commit.written_at_ms,
        id=commit.commit_id,
        body=unpack_record(commit),
        closes=state.is_closed,
        seq=state.last_seq if state.last_seq != before.last_seq else None,
        sender=None if claim is None else Sender(claim.producer, claim.epoch, claim.sequence),
    )


def _fault(channel: ChannelHistory) -> str | None:
    if not content.is_content_type(channel.making.content_type):
        return "has no content type"
    if not channel.appends:
        return "has no beginning"
    written_at_ms = 0
    for position, append in enumerate(channel.appends, start=1):
        if append.sequence != position:
            return f"has an append at {append.sequence} where {position} should be"
        if append.written_at_ms < written_at_ms:
            return f"has an append at {append.sequence} that is earlier than the one before it"
        written_at_ms = append.written_at_ms
    return None


def _commits(channel: ChannelHistory) -> Iterator[Commit]:
    state = ChannelState(name=channel.making.name)
    for append in channel.appends:
        state = _after(channel, state, append)
        commit = Commit(
            key=channel.key,
            sequence=append.sequence,
            count=1,
            events=pack_record(append.body),
            written_at_ms=append.written_at_ms,
            commit_id=append.id,
            checkpoint=pack_state(state),
            checkpoint_at=append.sequence,
        )
        if len(commit.events) + len(commit.checkpoint or b"") > MAX_COMMIT_BYTES:
            raise _Impossible(f"has a body at {append.sequence} that is too large to be in its log")
        yield commit


def _after(channel: ChannelHistory, state: ChannelState, append: Append) -> ChannelState:
    """The state after an append that its channel takes."""
    position = append.sequence
    if state.is_closed:
        raise _Impossible(f"has an append at {position}, after it was closed")
    if append.seq is not None and state.last_seq is not None and append.seq.encode() <= state.last_seq.encode():
        raise _Impossible(f"has a sequence at {position} that is not greater than the one before it")
    claim = None if append.sender is None else Claim(*_fields(append.sender))
    if claim is not None and not isinstance(producers.judge(state.producers, claim), producers.New):
        raise _Impossible(f"has an append of {claim.producer} at {position} that is not its next")
    size, messages = _measured(channel, append.body)
    return state.after(size=size, messages=messages, closes=append.closes, seq=append.seq, claim=claim)


def _fields(sender: Sender) -> tuple[str, int, int]:
    return sender.producer, sender.epoch, sender.sequence


def _measured(channel: ChannelHistory, body: bytes | StoredBody) -> tuple[int, int]:
    """How many bytes a body has, and how many messages."""
    raw = channel.payloads[body.sha256] if isinstance(body, StoredBody) else body
    if isinstance(body, StoredBody) and len(raw) != body.size:
        raise _Impossible(f"has a body {body.sha256} of {len(raw)} bytes where {body.size} should be")
    if raw and content.is_json(channel.making.content_type):
        return len(raw), len(content.messages_of(b"[" + raw + b"]"))
    return len(raw), 1 if raw else 0


def _refused(channel: ChannelHistory, why: str, *, code: str = "INVALID_EXPORT") -> HistoryRefused:
    return refused(f"the channel {channel.making.name} {why}", code=code)
