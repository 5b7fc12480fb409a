"""The lines of a channel in an export, within those of `lines`: { channel, { payload }, { append }, end }."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from flowstrand.engine.ids import is_channel_log
from flowstrand.engine.names import is_name
from flowstrand.engine.schema import epoch_ms, rfc3339
from flowstrand.histories.channel import Append, ChannelMaking, Sender
from flowstrand.histories.lines import key_of
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.records import StoredBody


def channel_body(making: ChannelMaking) -> JsonObject:
    """The channel, as it was made."""
    body: JsonObject = {
        "org": making.org,
        "id": making.key.execution_id,
        "name": making.name,
        "contentType": making.content_type,
        "createdAt": rfc3339(making.created_at_ms),
    }
    if making.ttl_s is not None:
        body["ttlSeconds"] = making.ttl_s
    if making.expires_at_ms is not None:
        body["expiresAt"] = rfc3339(making.expires_at_ms)
    return body


def making_of(body: Mapping[str, Any]) -> ChannelMaking:
    """The inverse of `channel_body`.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    key, name, ttl_s, expires_at = key_of(body), body["name"], body.get("ttlSeconds"), body.get("expiresAt")
    if not (is_channel_log(key.execution_id) and isinstance(name, str) and is_name(name)):
        raise ValueError("a channel has a name and the id of a channel's log")
    if ttl_s is not None and not (type(ttl_s) is int and ttl_s >= 0 and expires_at is None):
        raise ValueError("a channel has a time to live, or an end, or neither")
    return ChannelMaking(
        key=key,
        name=name,
        content_type=str(body["contentType"]),
        ttl_s=ttl_s,
        expires_at_ms=None if expires_at is None else epoch_ms(expires_at),
        created_at_ms=epoch_ms(body["createdAt"]),
    )


def append_body(append: Append) -> JsonObject:
    """An append; what it does not have is left out."""
    body: JsonObject = {
        "sequence": append.sequence,
        "writtenAt": rfc3339(append.written_at_ms),
        "id": append.id,
        **_content(append.body),
    }
    if append.closes:
        body["closes"] = True
    if append.seq is not None:
        body["seq"] = append.seq
    if append.sender is not None:
        sender = append.sender
        body["producer"] = {"id": sender.producer, "epoch": sender.epoch, "sequence": sender.sequence}
    return body


def append_of(body: Mapping[str, Any]) -> Append:
    """The inverse of `append_body`.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    sequence, seq, sender = body["sequence"], body.get("seq"), body.get("producer")
    if not _is_whole(sequence) or not isinstance(seq, str | None):
        raise ValueError("an append has a position, and perhaps a sequence that is text")
    return Append(
        sequence=sequence,
        written_at_ms=epoch_ms(body["writtenAt"]),
        id=str(body["id"]),
        body=_content_of(body),
        closes=body.get("closes") is True,
        seq=seq,
        sender=None if sender is None else _sender(sender),
    )


def _content(body: bytes | StoredBody) -> JsonObject:
    """Text where it is text, so that people can read it."""
    if isinstance(body, StoredBody):
        return {"payload": {"sha256": body.sha256, "size": body.size}}
    if not body:
        return {}
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _content_of(body: Mapping[str, Any]) -> bytes | StoredBody:
    if "payload" in body:
        stored = body["payload"]
        sha256 = str(stored["sha256"])
        if not _is_whole(stored["size"]) or len(bytes.fromhex(sha256)) != 32:
            raise ValueError("a payload has a checksum and a size")
        return StoredBody(sha256=sha256, size=stored["size"])
    if "base64" in body:
        return base64.b64decode(body["base64"], validate=True)
    return str(body.get("text", "")).encode()


def _sender(body: Mapping[str, Any]) -> Sender:
    producer, epoch, sequence = body["id"], body["epoch"], body["sequence"]
    if not isinstance(producer, str) or not all(type(each) is int and each >= 0 for each in (epoch, sequence)):
        raise ValueError("a producer has an id, an epoch and a sequence")
    return Sender(producer, epoch, sequence)


def _is_whole(value: object) -> bool:
    return type(value) is int and value > 0
