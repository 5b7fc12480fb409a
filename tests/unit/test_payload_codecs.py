"""Codecs: what leaves a process is encoded, what comes back is the same, and whatever goes wrong says which codec."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from flowstrand import App, CodecFailed, Compression, PayloadCodec, PayloadCodecs, WorkflowContext, workflow
from flowstrand.errors import ConfigurationError
from flowstrand.jsonvalue import JsonValue
from tests.unit.test_serde import json_values


class Xor:
    """Stands for encryption: without the key, or with another, nothing is read."""

    def __init__(self, key: int, name: str = "xor") -> None:
        self.name = name
        self._key = key

    def encode(self, data: bytes, /) -> bytes:
        return self._turned(b"sealed" + data)

    def decode(self, data: bytes, /) -> bytes:
        plain = self._turned(data)
        if not plain.startswith(b"sealed"):
            raise ValueError("the key is wrong")
        return plain.removeprefix(b"sealed")

    def _turned(self, data: bytes) -> bytes:
        return bytes(byte ^ self._key for byte in data)


class Broken:
    name = "broken"

    def encode(self, data: bytes, /) -> bytes:
        raise RuntimeError

    def decode(self, data: bytes, /) -> bytes:
        return b"{"


@workflow
async def anything(_ctx: WorkflowContext, value: Any) -> Any:
    return value


CHAIN = PayloadCodecs(Compression(), Xor(7))


@given(json_values)
def test_what_is_encoded_decodes_to_the_same_value(value: JsonValue) -> None:
    wire = json.loads(json.dumps(CHAIN.to_wire(value)))
    assert CHAIN.from_wire(wire) == value


def test_an_encoded_value_shows_its_codecs_and_nothing_of_itself() -> None:
    wire: Any = CHAIN.to_wire({"card": "4111 1111"})
    assert (wire["$flowstrand"], wire["codecs"], set(wire)) == (
        "encoded",
        ["zlib", "xor"],
        {"$flowstrand", "codecs", "data"},
    )
    assert b"4111" not in base64.b64decode(wire["data"])


def test_codecs_are_applied_in_order_and_undone_in_reverse() -> None:
    wire: Any = PayloadCodecs(Compression(), Xor(7)).to_wire("a" * 1_000)
    unsealed = Xor(7).decode(base64.b64decode(wire["data"]))
    assert json.loads(zlib.decompress(unsealed)) == "a" * 1_000
    assert len(wire["data"]) < 100


@given(json_values)
def test_without_codecs_a_value_passes_as_it_is(value: JsonValue) -> None:
    assert PayloadCodecs().to_wire(value) == value
    assert CHAIN.from_wire(value) == value


def test_null_is_never_encoded() -> None:
    assert CHAIN.to_wire(None) is None


def test_values_of_before_the_codec_and_of_earlier_codecs_are_still_read() -> None:
    old, new = Xor(1, "key-2025"), Xor(2, "key-2026")
    before = PayloadCodecs(old).to_wire([1])
    now = PayloadCodecs(Compression(), new, also_decode=[old])
    assert now.from_wire(before) == [1]
    assert now.from_wire([1]) == [1]
    assert now.names == ("zlib", "key-2026")


@pytest.mark.parametrize("codecs", [PayloadCodecs(), CHAIN], ids=["none", "chain"])
def test_a_value_that_looks_encoded_comes_back_as_it_was(codecs: PayloadCodecs) -> None:
    values: list[JsonValue] = [
        envelope(),
        envelope(codecs=["other"]),
        {"$flowstrand": 1},
        codecs.to_wire(envelope()),
    ]
    for value in values:
        assert codecs.from_wire(codecs.to_wire(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        {"$flowstrand": "encoded/2"},
        {"$flowstrand": "encoded", "codecs": [1], "data": ""},
        {"$flowstrand": "encoded", "codecs": "zlib", "data": ""},
        {"$flowstrand": "encoded", "codecs": [], "data": None},
        {"$flowstrand": "encoded", "codecs": [], "data": "", "more": 1},
    ],
    ids=map(str, range(5)),
)
def test_what_is_not_of_the_shape_of_an_envelope_is_a_value_like_any_other(value: JsonValue) -> None:
    assert CHAIN.from_wire(value) == value
    assert PayloadCodecs().to_wire(value) == value


def envelope(**changes: Any) -> Any:
    return {"$flowstrand": "encoded", "codecs": ["zlib"], "data": "", **changes}


@pytest.mark.parametrize(
    ("value", "codec", "message"),
    [
        (
            lambda: PayloadCodecs(Xor(8)).to_wire(1),
            "xor",
            "'xor' could not decode 7 bytes: ValueError: the key is wrong",
        ),
        (
            lambda: PayloadCodecs(Xor(8, "other")).to_wire(1),
            "other",
            "encoded with 'other', which is not configured",
        ),
        (lambda: envelope(codecs=["broken"]), "broken", "what .'broken'. decode to is not JSON"),
        (lambda: envelope(data="AA=="), "zlib", "'zlib' could not decode 1 bytes: ValueError"),
        (
            lambda: envelope(data=base64.b64encode(zlib.compress(b"1") + b"x").decode()),
            "zlib",
            "not one whole value",
        ),
        (lambda: envelope(data="*"), "", "not base64"),
    ],
    ids=map(str, range(6)),
)
def test_what_cannot_be_decoded_says_why_and_by_which_codec(
    value: Callable[[], JsonValue], codec: str, message: str
) -> None:
    codecs = PayloadCodecs(Compression(), Xor(7), also_decode=[Broken()])
    with pytest.raises(CodecFailed, match=message) as caught:
        codecs.from_wire(value())
    assert (caught.value.code, caught.value.codec) == ("CODEC_FAILED", codec)
    assert pickle.loads(pickle.dumps(caught.value)).codec == codec


def test_what_cannot_be_encoded_says_by_which_codec() -> None:
    with pytest.raises(CodecFailed, match=r"'broken' could not encode 3 bytes: RuntimeError$"):
        PayloadCodecs(Broken()).to_wire("a")


def test_a_small_value_cannot_fill_the_memory() -> None:
    bomb = zlib.compress(b'"' + b"a" * 10_000 + b'"')
    wire = envelope(data=base64.b64encode(bomb).decode())
    with pytest.raises(CodecFailed, match="more than 10001 bytes"):
        PayloadCodecs(Compression(max_bytes=10_001)).from_wire(wire)
    assert PayloadCodecs(Compression(max_bytes=10_002)).from_wire(wire) == "a" * 10_000


@pytest.mark.parametrize(
    "codecs", [(Xor(1), Xor(2)), (Xor(1, "a b"),), (Xor(1, ""),)], ids=["twice", "space", "empty"]
)
def test_names_of_codecs_are_names_and_differ(codecs: tuple[PayloadCodec, ...]) -> None:
    with pytest.raises(ConfigurationError):
        PayloadCodecs(*codecs)


def test_an_app_takes_one_codec_several_an_arrangement_or_none() -> None:
    assert App().payloads.names == ()
    assert App(codec=Compression()).payloads.names == ("zlib",)
    assert App(codec=[Compression(), Xor(1)]).payloads.names == ("zlib", "xor")
    assert App(codec=CHAIN).payloads is CHAIN


def test_an_app_that_encodes_no_more_still_decodes() -> None:
    retired = PayloadCodecs(also_decode=[Compression()])
    app = App(workflows=[anything], codec=retired)
    program: Any = app.program("anything")
    assert program.wire.from_wire(PayloadCodecs(Compression()).to_wire(1)) == 1
    assert App(workflows=[anything]).program("anything") is anything
