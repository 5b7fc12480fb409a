"""Checks that a payload is what its content hash says."""

from __future__ import annotations

from hashlib import sha256 as digest_of

from flowstrand.errors import LogCorrupted


def require_digest(sha256: str, body: bytes) -> None:
    """Refuse to store `body` under another value's hash.

    Raises:
        ValueError: `sha256` is not the hex digest of `body`.
    """
    if digest_of(body).hexdigest() != sha256:
        raise ValueError(f"{sha256!r} is not the SHA-256 of the {len(body)} bytes to store")


def verified(sha256: str, body: bytes | None) -> bytes:
    """`body` as it was stored.

    Raises:
        LogCorrupted: it is missing, or does not match `sha256`.
    """
    if body is None:
        raise LogCorrupted(f"the payload {sha256} is missing")
    if digest_of(body).hexdigest() != sha256:
        raise LogCorrupted(f"the payload {sha256} does not match its digest")
    return body
