"""Types of content that API Gateway hands on as bytes, in base 64; every other is handed on as text, which is UTF-8.

Not `*/*`: with that, the preflights that API Gateway answers by itself fail.
"""

from __future__ import annotations

BINARY_TYPES = (
    "application/avro",
    "application/cbor",
    "application/gzip",
    "application/msgpack",
    "application/octet-stream",
    "application/pdf",
    "application/protobuf",
    "application/vnd.apache.arrow.stream",
    "application/wasm",
    "application/x-msgpack",
    "application/x-protobuf",
    "application/zip",
    "audio/aac",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/webm",
)


def is_binary(content_type: str | None) -> bool:
    """Whether a body of this type arrives as the bytes that were sent."""
    return (content_type or "").partition(";")[0].strip().lower() in BINARY_TYPES
