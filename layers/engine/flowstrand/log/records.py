"""How what one append leaves on a channel becomes the bytes of a commit. Binary safe: a body is never taken for text.

    codec (1 byte: `b` as it is, `z` zlib) | CRC-32 of codec and content (4 bytes, big endian) | content

The content is a kind, `d` or `r` (1 byte), and then the body itself, or, where that is in the payload store, its SHA-256 (32
bytes) and its size (8 bytes, big endian).
"""

from __future__ import annotations

import zlib

from flowstrand.dataclass import dataclass
from flowstrand.errors import LogCorrupted
from flowstrand.log.port import Commit

COMPRESS_ABOVE = 1_024
"""Bytes beyond which compression is tried; it is kept where it helps."""

_PLAIN, _ZLIB = b"b", b"z"
_DATA, _REFERENCE = b"d", b"r"
_HEADER_BYTES = 5
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """A body that is in the payload store: its SHA-256 in hex, and how many bytes it has."""

    sha256: str
    size: int


def pack_record(body: bytes | StoredBody) -> bytes:
    """The bytes of a commit that holds `body`."""
    if isinstance(body, StoredBody):
        return _packed(_REFERENCE + bytes.fromhex(body.sha256) + body.size.to_bytes(8, "big"))
    return _packed(_DATA + body)


def unpack_record(commit: Commit) -> bytes | StoredBody:
    """The inverse of `pack_record`.

    Raises:
        LogCorrupted: the bytes are not what was packed.
    """
    content = _content(commit)
    kind, rest = content[:1], content[1:]
    if kind == _DATA:
        return rest
    if kind == _REFERENCE and len(rest) == _DIGEST_BYTES + 8:
        size = int.from_bytes(rest[_DIGEST_BYTES:], "big")
        return StoredBody(sha256=rest[:_DIGEST_BYTES].hex(), size=size)
    raise _damaged(commit, f"an unknown kind of record, {kind!r}")


def _packed(content: bytes) -> bytes:
    codec, packed = _PLAIN, content
    if len(content) > COMPRESS_ABOVE and len(deflated := zlib.compress(content)) < len(content):
        codec, packed = _ZLIB, deflated
    return codec + _checksum(codec, packed) + packed


def _content(commit: Commit) -> bytes:
    codec, checksum, packed = commit.events[:1], commit.events[1:_HEADER_BYTES], commit.events[_HEADER_BYTES:]
    if codec not in (_PLAIN, _ZLIB):
        raise _damaged(commit, f"unknown packing {codec!r}")
    if checksum != _checksum(codec, packed):
        raise _damaged(commit, "the checksum does not match")
    try:
        return zlib.decompress(packed) if codec == _ZLIB else packed
    except zlib.error as error:
        raise _damaged(commit, str(error)) from error


def _checksum(codec: bytes, content: bytes) -> bytes:
    return zlib.crc32(content, zlib.crc32(codec)).to_bytes(4, "big")


def _damaged(commit: Commit, cause: str) -> LogCorrupted:
    return LogCorrupted(f"the commit at {commit.sequence} of {commit.key} is damaged: {cause}")
