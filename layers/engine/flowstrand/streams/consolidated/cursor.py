"""`Cursor`: a position in a consolidated stream, as clients hold it.

    01JD…7Q.c4:12:AQ3f…      execution, sequence, and where all the other logs stand

The first two say which event brought the client there, for whoever wants to know; the whole is one opaque value. It names its
form, and holds a digest of itself and of whose stream it is of. So what was cut, mistyped or taken from elsewhere is refused. It is
no secret and no proof: whoever makes one up is told what the logs say, as far as the tree goes, and nothing of other trees.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import InvalidInput
from flowstrand.log.port import LogKey
from flowstrand.streams.consolidated.vector import Place, pack, unpack

MAX_CURSOR = 6_000
"""Characters that a cursor has at most: it must fit into a header, and into a URL."""

_FORM = b"\x01"
_DIGEST_BYTES = 8
_SHAPE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,511}):([1-9][0-9]{0,14}):([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A position.

    Attributes:
        execution_id: whose the last event is that is behind it.
        sequence: of that event, in its log.
        places: where the merge stands.
    """

    execution_id: ExecutionId
    sequence: int
    places: tuple[Place, ...]

    def text(self, root: LogKey) -> str:
        """As a client holds it, in the stream of `root`."""
        packed = pack(self.places)
        token = base64.urlsafe_b64encode(_FORM + _digest(root, self, packed) + packed).rstrip(b"=").decode()
        return f"{self.execution_id}:{self.sequence}:{token}"


def parse_cursor(text: str, root: LogKey) -> Cursor:
    """The inverse of `Cursor.text`.

    Raises:
        InvalidInput: `INVALID_CURSOR`: no stream of `root` has told it.
    """
    shape = _SHAPE.fullmatch(text) if len(text) <= MAX_CURSOR else None
    if shape is None:
        raise invalid_cursor()
    try:
        raw = base64.urlsafe_b64decode(shape[3] + "=" * (-len(shape[3]) % 4))
        packed = raw[1 + _DIGEST_BYTES :]
        cursor = Cursor(execution_id=ExecutionId(shape[1]), sequence=int(shape[2]), places=unpack(packed))
    except (binascii.Error, ValueError):
        raise invalid_cursor() from None
    if raw[: 1 + _DIGEST_BYTES] != _FORM + _digest(root, cursor, packed):
        raise invalid_cursor()
    return cursor


def invalid_cursor() -> InvalidInput:
    """What is said of a cursor that nobody was given."""
    return InvalidInput("not a cursor of this stream", code="INVALID_CURSOR")


def _digest(root: LogKey, cursor: Cursor, packed: bytes) -> bytes:
    whole = f"{root}\n{cursor.execution_id}\n{cursor.sequence}\n".encode() + packed
    return hashlib.sha256(whole).digest()[:_DIGEST_BYTES]
