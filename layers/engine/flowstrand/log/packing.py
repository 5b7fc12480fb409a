"""How JSON becomes the bytes of a commit: its events, and its checkpoint.

    codec (1 byte: `j` plain, `z` zlib) | CRC-32 of codec and body (4 bytes, big endian) | body

Bodies above about 1 KB are compressed; smaller ones stay readable in a store's console. A body that does not match
its checksum is refused, never guessed at.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any

from flowstrand.engine.events.codec import decode, encode
from flowstrand.engine.events.event import Event, EventData
from flowstrand.errors import LogCorrupted
from flowstrand.log.port import Commit

COMPRESS_ABOVE = 1_024
"""Bytes of JSON beyond which compression is worth its time."""

_HAPPENED_AT = "at"
"""Beside an event's data, where it was copied from another log."""

_PLAIN, _ZLIB = b"j", b"z"
_HEADER_BYTES = 5
_FEW = 16
"""Events in one commit that are as well decoded again as kept."""
_KEPT_APART = 8
"""Commits that are kept taken apart; none holds more than 380 KB."""
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def pack_events(events: Sequence[EventData]) -> bytes:
    """The events of one commit, in order.

    Raises:
        ValueError: a value has no JSON form (NaN, an infinity).
    """
    return pack_stored([stored_form(data) for data in events])


def stored_form(data: EventData, happened_at_ms: int | None = None) -> bytes:
    """One event as a commit holds it, before the commit is packed. Raises what `pack_events` does.

    Args:
        happened_at_ms: of an event copied from another log, when it happened there.
    """
    encoded = encode(data)
    return _dumped(encoded if happened_at_ms is None else encoded | {_HAPPENED_AT: happened_at_ms})


def pack_stored(events: Sequence[bytes]) -> bytes:
    """The events of one commit, in order, each in its stored form."""
    return _packed(b"[" + b",".join(events) + b"]")


def unpack_events(commit: Commit) -> tuple[Event, ...]:
    """The inverse of `pack_events`, with each event's sequence and timestamp.

    Raises:
        LogCorrupted: the bytes are damaged, or do not hold as many events as the commit says.
    """
    return tuple(_event(commit, sequence, item) for sequence, item in _stored(commit))


def unpack_events_at(commit: Commit, sequences: Collection[int]) -> tuple[Event, ...]:
    """The events of a commit that have one of `sequences`, in order; the others are not decoded.

    Of a commit that holds many, a few are asked for again and again: tasks that were asked for together are claimed ten at
    a time. So the whole of it is taken apart once.

    Raises:
        LogCorrupted: as `unpack_events`.
    """
    wanted = [sequence for sequence in sorted(sequences) if commit.sequence <= sequence <= commit.last_sequence]
    if commit.count <= _FEW or len(wanted) == commit.count:
        return tuple(_event(commit, sequence, item) for sequence, item in _stored(commit) if sequence in sequences)
    texts = _taken_apart(commit)
    return tuple(_event(commit, n, json.loads(texts[n - commit.sequence])) for n in wanted)


def _stored(commit: Commit) -> Iterator[tuple[int, Any]]:
    try:
        stored = unpack_json(commit.events)
    except LogCorrupted as error:
        raise LogCorrupted(f"the commit at {commit.sequence} of {commit.key} is damaged: {error}") from error
    if not isinstance(stored, list) or len(stored) != commit.count:
        raise LogCorrupted(f"the commit at {commit.sequence} of {commit.key} does not hold {commit.count} events")
    return iter(enumerate(stored, start=commit.sequence))


@lru_cache(maxsize=_KEPT_APART)
def _taken_apart(commit: Commit) -> tuple[str, ...]:
    return tuple(_JSON.encode(item) for _, item in _stored(commit))


def _event(commit: Commit, sequence: int, stored: Any) -> Event:
    data, at_ms = decode(stored), commit.written_at_ms
    return Event(sequence=sequence, timestamp_ms=at_ms, data=data, happened_at_ms=stored.get(_HAPPENED_AT))


def pack_json(value: Any) -> bytes:
    """Any JSON value with a checksum, compressed if it is long.

    Raises:
        ValueError: it has no JSON form (NaN, an infinity).
        TypeError: it holds something that is not JSON.
    """
    return _packed(_dumped(value))


def _dumped(value: Any) -> bytes:
    return _JSON.encode(value).encode(
        "utf-8", "surrogatepass"
    )  # a user's string may hold half of a surrogate pair


def _packed(plain: bytes) -> bytes:
    codec, body = (_ZLIB, zlib.compress(plain)) if len(plain) > COMPRESS_ABOVE else (_PLAIN, plain)
    return codec + _checksum(codec, body) + body


def unpack_json(packed: bytes) -> Any:
    """The inverse of `pack_json`.

    Raises:
        LogCorrupted: the bytes are not what was packed.
    """
    codec, checksum, body = packed[:1], packed[1:_HEADER_BYTES], packed[_HEADER_BYTES:]
    if codec not in (_PLAIN, _ZLIB):
        raise LogCorrupted(f"unknown packing {codec!r}")
    if checksum != _checksum(codec, body):
        raise LogCorrupted("the checksum does not match")
    try:
        plain = zlib.decompress(body) if codec == _ZLIB else body
        return json.loads(plain.decode("utf-8", "surrogatepass"))
    except (zlib.error, ValueError) as error:
        raise LogCorrupted(f"the body cannot be read: {error}") from error


def _checksum(codec: bytes, body: bytes) -> bytes:
    return zlib.crc32(body, zlib.crc32(codec)).to_bytes(4, "big")
