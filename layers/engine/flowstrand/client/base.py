"""What the parts of `Client` share, and those of `SyncClient`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.client.handle import Handle, SyncHandle
from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.payload_codecs import PayloadCodecs


class Base(ABC):
    """Where requests go, and how payloads are encoded.

    Attributes:
        connection: where it sends requests, and as whom.
        payloads: how it encodes inputs and decodes results; what `history` and `stream` bring is as the log has it.
    """

    connection: Connection
    payloads: PayloadCodecs

    @abstractmethod
    async def _answer(self, request: Call) -> JsonObject:
        """The body of a successful answer."""

    @abstractmethod
    def _handle(self, execution_id: str, workflow: object, started: JsonObject | None = None) -> Handle[Any]:
        """A handle; `workflow`, where it is a definition, types its output."""


class SyncBase(ABC):
    """The same, synchronously."""

    connection: Connection
    payloads: PayloadCodecs

    @abstractmethod
    def _answer(self, request: Call) -> JsonObject:
        """The body of a successful answer."""

    @abstractmethod
    def _handle(self, execution_id: str, workflow: object, started: JsonObject | None = None) -> SyncHandle[Any]:
        """A handle; `workflow`, where it is a definition, types its output."""
