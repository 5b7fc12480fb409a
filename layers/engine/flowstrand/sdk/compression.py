"""`Compression`: values take less room in the log, and on the wire."""

from __future__ import annotations

import zlib


class Compression:
    """A payload codec: zlib. Put it before encryption."""

    name = "zlib"

    def __init__(self, *, level: int = 6, max_bytes: int = 64 * 1024 * 1024) -> None:
        """Any level reads what any other wrote.

        Args:
            level: from 1, fast, to 9, small.
            max_bytes: what decodes to more is refused, so that a small value cannot fill the memory.
        """
        self._level = level
        self._max_bytes = max_bytes

    def encode(self, data: bytes, /) -> bytes:
        """Compressed."""
        return zlib.compress(data, self._level)

    def decode(self, data: bytes, /) -> bytes:
        """Decompressed.

        Raises:
            ValueError: it is too long, cut off, or followed by something else.
            zlib.error: it is not what zlib writes.
        """
        reader = zlib.decompressobj()
        plain = reader.decompress(data, self._max_bytes + 1)
        if len(plain) > self._max_bytes:
            raise ValueError(f"more than {self._max_bytes} bytes")
        if not reader.eof or reader.unused_data:
            raise ValueError("not one whole value")
        return plain
