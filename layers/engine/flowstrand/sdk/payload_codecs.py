"""What happens to values on their way out of and into the author's processes: compression, encryption.

The server stores and hands on what it is given and needs no keys; only the processes that run workflows and tasks and
those that start them do. An encoded value is a small JSON object instead of the value:

    {"$flowstrand": "encoded", "codecs": ["zlib", "aes-gcm"], "data": "<base64>"}
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Protocol, TypeAlias, Union, cast

from flowstrand.engine.names import is_name
from flowstrand.engine.payload_reference import is_reference
from flowstrand.errors import CodecFailed, ConfigurationError
from flowstrand.jsonvalue import JsonObject, JsonValue

MARKER = "$flowstrand"
"""The key that makes a JSON object of the shape above an envelope."""
_ENCODED = "encoded"
_FIELDS = {MARKER, "codecs", "data"}


class PayloadCodec(Protocol):
    """One reversible step. It may be called from any thread, and raises what it likes when it fails."""

    @property
    def name(self) -> str:
        """Recorded with every value, so that it can be decoded as long as a codec of this name is configured.

        A codec that cannot read what an earlier one wrote, for lack of its key for example, needs another name.
        """
        ...

    def encode(self, data: bytes, /) -> bytes:
        """`data` in its new form; need not be the same every time."""
        ...

    def decode(self, data: bytes, /) -> bytes:
        """The inverse of `encode`."""
        ...


Codec: TypeAlias = Union[PayloadCodec, Iterable[PayloadCodec], "PayloadCodecs", None]
"""What `App` and `Client` take: one step, several, or a whole arrangement of them."""


class PayloadCodecs:
    """A chain of codecs, and how it is applied to JSON values."""

    def __init__(self, *codecs: PayloadCodec, also_decode: Iterable[PayloadCodec] = ()) -> None:
        """Values are encoded by `codecs` in order, and decoded in reverse by the ones that they were encoded with.

        Args:
            codecs: for example `Compression()`, then encryption: what is encrypted no longer compresses.
            also_decode: codecs of values that were written earlier, such as those with last year's key.

        Raises:
            ConfigurationError: a name is not one, or two codecs have the same.
        """
        self._chain = codecs
        self._by_name: dict[str, PayloadCodec] = {}
        for codec in (*codecs, *also_decode):
            if not is_name(codec.name):
                raise ConfigurationError(f"{codec.name!r} cannot name a payload codec")
            if self._by_name.setdefault(codec.name, codec) is not codec:
                raise ConfigurationError(f"two payload codecs are called {codec.name!r}")

    @classmethod
    def of(cls, codec: Codec) -> PayloadCodecs:
        """The arrangement that an author has given."""
        if isinstance(codec, PayloadCodecs):
            return codec
        if codec is None:
            return cls()
        return cls(*codec) if isinstance(codec, Iterable) else cls(codec)

    @property
    def names(self) -> tuple[str, ...]:
        """What values are encoded with, in order."""
        return tuple(codec.name for codec in self._chain)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to encode or to decode with."""
        return not self._by_name

    def to_wire(self, value: JsonValue) -> JsonValue:
        """`value` as it leaves this process. Null is never encoded: it is how an input that is not given looks.

        What stands for an uploaded value goes as it is. Without a codec that is `value` itself, unless it would be taken for an encoded one: then it is put in an envelope.

        Raises:
            CodecFailed: a codec raised.
        """
        if value is None or is_reference(value) or not (self._chain or _is_envelope(value)):
            return value
        data = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
        for codec in self._chain:
            data = _apply(codec, "encode", data)
        names: list[JsonValue] = list(self.names)
        return {MARKER: _ENCODED, "codecs": names, "data": base64.b64encode(data).decode()}

    def from_wire(self, value: JsonValue) -> JsonValue:
        """The inverse of `to_wire`, whatever it was encoded with. A value that was not encoded is returned as it is.

        Raises:
            CodecFailed: a codec raised, or is not configured here, or there is no value in the envelope.
        """
        if not isinstance(value, dict) or not _is_envelope(value):
            return value
        names, data = _opened(value)
        for name in reversed(names):
            codec = self._by_name.get(name)
            if codec is None:
                raise CodecFailed(f"a value was encoded with {name!r}, which is not configured here", codec=name)
            data = _apply(codec, "decode", data)
        try:
            decoded: JsonValue = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise CodecFailed(f"what {names} decode to is not JSON", codec=next(iter(names), "")) from error
        return decoded


def _apply(codec: PayloadCodec, direction: str, data: bytes) -> bytes:
    try:
        return codec.encode(data) if direction == "encode" else codec.decode(data)
    except Exception as error:
        raise CodecFailed(
            f"the payload codec {codec.name!r} could not {direction} {len(data)} bytes: "
            f"{type(error).__name__}: {error}".removesuffix(": "),
            codec=codec.name,
        ) from error


def _is_envelope(value: JsonValue) -> bool:
    if not isinstance(value, dict) or value.keys() != _FIELDS or value[MARKER] != _ENCODED:
        return False
    names = value["codecs"]
    return (
        isinstance(names, list) and all(isinstance(name, str) for name in names) and isinstance(value["data"], str)
    )


def _opened(envelope: JsonObject) -> tuple[list[str], bytes]:
    names, text = cast("list[str]", envelope["codecs"]), cast(str, envelope["data"])
    try:
        return names, base64.b64decode(text, validate=True)
    except ValueError as error:
        raise CodecFailed("the data of an encoded value is not base64") from error
