"""Large values: the part of both clients that sends them past the API."""

from __future__ import annotations

import hashlib
import json

from flowstrand.client.base import Base, SyncBase
from flowstrand.client.call import Call
from flowstrand.client.commands import value_of
from flowstrand.client.connection import Connection
from flowstrand.client.transfers import SyncTransfers, Transfers
from flowstrand.engine.payload_reference import is_reference
from flowstrand.errors import NotFound
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.payload_codecs import PayloadCodecs


class Uploading(Base):
    """`upload` and `download`: values that are too large for a request."""

    _transfers: Transfers

    async def upload(self, value: object) -> JsonObject:
        """Send a large value to the server's payload store, at most 64 MB of JSON.

        Args:
            value: JSON, a pydantic model or a dataclass.

        Returns:
            What stands for it, wherever a value is taken: as an input, a signal's value, a promise's. Workflows and tasks
            are given the value itself; docs/payloads.md says what is too large even for that.

        Raises:
            NotSerializable: it has no JSON form.
            PayloadTooLarge: it is too large.
        """
        body = _body(self.payloads, value)
        begun = await self._answer(_begin(self.connection, body))
        await self._transfers.put(begun, body)
        return _reference(begun)

    async def download(self, value: JsonValue) -> JsonValue:
        """A value as answers tell it, decoded: what it stands for, where it stands for something uploaded; else itself.

        Raises:
            NotFound: nothing was uploaded there.
            CodecFailed: it was encoded with something that this client was not given.
        """
        if not is_reference(value):
            return self.payloads.from_wire(value)
        found = await self._answer(_find(self.connection, value))
        return self.payloads.from_wire(await self._transfers.get(str(found["downloadUrl"])))


class SyncUploading(SyncBase):
    """The same, synchronously."""

    _transfers: SyncTransfers

    def upload(self, value: object) -> JsonObject:
        """Send a large value to the server's payload store; see `Client.upload`."""
        body = _body(self.payloads, value)
        begun = self._answer(_begin(self.connection, body))
        self._transfers.put(begun, body)
        return _reference(begun)

    def download(self, value: JsonValue) -> JsonValue:
        """A value as answers tell it, decoded; see `Client.download`."""
        if not is_reference(value):
            return self.payloads.from_wire(value)
        found = self._answer(_find(self.connection, value))
        return self.payloads.from_wire(self._transfers.get(str(found["downloadUrl"])))


def _body(payloads: PayloadCodecs, value: object) -> bytes:
    wire = value_of(payloads, value, "a payload")
    return json.dumps(wire, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _begin(to: Connection, body: bytes) -> Call:
    asked: JsonObject = {"sizeBytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    return Call(method="POST", path=to.path("payloads"), json=asked, repeatable=True)


def _find(to: Connection, reference: JsonValue) -> Call:
    id = reference.get("id") if isinstance(reference, dict) else None
    if not isinstance(id, str):
        raise NotFound("this stands for no payload", code="PAYLOAD_NOT_FOUND")
    return Call(method="GET", path=to.path("payloads", id), repeatable=True)


def _reference(begun: JsonObject) -> JsonObject:
    reference = begun["payload"]
    assert isinstance(reference, dict)
    return reference
