"""How the inputs of claimed attempts reach their workers: in the answer, as far as they fit into one, else by a URL of their own."""

from __future__ import annotations

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.engine.payload_reference import to_reference
from flowstrand.engine.schema import Payload, PayloadRef
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import payloads, uploads
from flowstrand.service.container import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenInput:
    """An input, or what stands for it and where it is to be had; `url` is None in the first case."""

    value: JsonValue
    url: str | None = None


class Inputs:
    """The inputs of one answer."""

    def __init__(self, services: Services, org: OrgId) -> None:
        self._services = services
        self._org = org
        self._room = services.settings.max_poll_input_bytes

    def give(self, value: Payload) -> GivenInput:
        """The input itself, while there is room for it.

        Raises:
            LogCorrupted: it is missing, or does not match its hash.
            StoreUnavailable: it could not be read.
        """
        if not isinstance(value, PayloadRef):
            return GivenInput(value=value)
        fits = value.size <= min(self._room, self._services.settings.max_payload_bytes)
        if not fits and self._services.transfers is not None:
            download = uploads.download(self._services, self._org, value)
            return GivenInput(value=to_reference(value), url=download.url)
        self._room -= value.size
        return GivenInput(value=payloads.fetch(self._services, self._org, value, most=value.size))
