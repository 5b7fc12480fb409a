"""The commit that an append becomes."""

from __future__ import annotations

import hashlib

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.errors import PayloadTooLarge
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.records import StoredBody, pack_record, unpack_record
from flowstrand.service.channels import content
from flowstrand.service.channels.state import ChannelState, pack_state
from flowstrand.service.container import Services

_SEPARATOR = b","
"""Between the messages of a JSON channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What an append brings, as a log takes it.

    Attributes:
        size: bytes.
        messages: how many there are in it; 0 where it is empty.
    """

    stored: bytes | StoredBody
    size: int
    messages: int


def body_of(services: Services, org: OrgId, content_type: str, raw: bytes) -> Body:
    """What was sent, with a large body stored and referenced.

    Raises:
        InvalidInput: the channel is JSON, and it is not (`MALFORMED_JSON`).
        PayloadTooLarge: it is over `Settings.max_payload_bytes`.
        StoreUnavailable: it could not be stored.
    """
    limit = services.settings.max_payload_bytes
    if len(raw) > limit:
        raise PayloadTooLarge(f"a body may have {limit} bytes, this one has {len(raw)}")
    messages = 1 if raw else 0
    if content.is_json(content_type):
        found = content.messages_of(raw)
        raw, messages = _SEPARATOR.join(found), len(found)
    if len(raw) <= services.settings.inline_payload_bytes:
        return Body(stored=raw, size=len(raw), messages=messages)
    sha256 = hashlib.sha256(raw).hexdigest()
    services.payloads.put(org, sha256, raw)
    return Body(stored=StoredBody(sha256=sha256, size=len(raw)), size=len(raw), messages=messages)


def commit_of(
    services: Services, key: LogKey, *, sequence: int, body: Body, state: ChannelState, not_before_ms: int = 0
) -> Commit:
    """The commit at `sequence`, after which the channel is in `state`."""
    return Commit(
        key=key,
        sequence=sequence,
        count=1,
        events=pack_record(body.stored),
        written_at_ms=max(services.clock.now_ms(), not_before_ms),
        commit_id=services.random_bytes(12).hex(),
        checkpoint=pack_state(state),
        checkpoint_at=sequence,
    )


def fetched(services: Services, commit: Commit) -> bytes:
    """The body of a commit, from wherever it is.

    Raises:
        LogCorrupted: it is missing or damaged.
        StoreUnavailable: it could not be read.
    """
    stored = unpack_record(commit)
    return services.payloads.get(commit.key.org, stored.sha256) if isinstance(stored, StoredBody) else stored


def size_of(commit: Commit) -> int:
    """How many bytes the body of a commit has; it is not fetched for that."""
    stored = unpack_record(commit)
    return stored.size if isinstance(stored, StoredBody) else len(stored)
