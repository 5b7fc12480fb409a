"""Payload offload: values over a limit are stored first, under their content hash, and referenced from the log."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, cast

from flowstrand.engine.events import Event, EventData
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schema import Payload, PayloadRef, payload_fields
from flowstrand.errors import PayloadTooLarge
from flowstrand.jsonvalue import JsonValue
from flowstrand.service.container import Services

_ENCODED_KEYS = {"$flowstrand", "codecs", "data"}


def offload(services: Services, org: OrgId, data: EventData, *, inline_bytes: int | None = None) -> EventData:
    """`data` with every large value stored and replaced by a reference.

    Args:
        inline_bytes: what is larger is large; `Settings.inline_payload_bytes` by default.

    Raises:
        PayloadTooLarge: a value is over `Settings.max_payload_bytes`.
        StoreUnavailable: it could not be stored.
    """
    replaced: dict[str, Any] = {}
    for attribute, _ in payload_fields(type(data)):
        value = getattr(data, attribute)
        stored = store(services, org, value, inline_bytes=inline_bytes)
        if stored is not value:
            replaced[attribute] = stored
    return replace(data, **replaced) if replaced else data


def inline(services: Services, org: OrgId, event: Event) -> Event:
    """`event` with every reference replaced by its value.

    Raises:
        LogCorrupted: a value is missing or does not match its hash.
        StoreUnavailable: it could not be read.
    """
    data = event.data
    fetched: dict[str, Any] = {}
    for attribute, _ in payload_fields(type(data)):
        value = getattr(data, attribute)
        if isinstance(value, PayloadRef):
            fetched[attribute] = fetch(services, org, value)
    return replace(event, data=replace(data, **fetched)) if fetched else event


def store(services: Services, org: OrgId, value: Payload, *, inline_bytes: int | None = None) -> Payload:
    """`value`, or a reference to it where it is large. Takes and raises what `offload` does."""
    if isinstance(value, PayloadRef) or _is_surely_small(value):
        return value
    body = _body(services, value)
    if len(body) <= (services.settings.inline_payload_bytes if inline_bytes is None else inline_bytes):
        return value
    sha256 = hashlib.sha256(body).hexdigest()
    services.payloads.put(org, sha256, body)
    return PayloadRef(sha256, len(body))


def require_storable(services: Services, value: JsonValue) -> None:
    """Refuse now what `store` would refuse later.

    Raises:
        PayloadTooLarge: it is over `Settings.max_payload_bytes`.
    """
    if not _is_surely_small(value):
        _body(services, value)


def is_encoded(value: JsonValue) -> bool:
    """Whether a client's codecs have encoded the value: nobody here can read it."""
    return isinstance(value, dict) and value.keys() == _ENCODED_KEYS


def fetch(services: Services, org: OrgId, value: Payload) -> JsonValue:
    """The value itself, read from the payload store where it is a reference."""
    if not isinstance(value, PayloadRef):
        return value
    body = services.payloads.get(org, value.sha256)
    return cast(JsonValue, json.loads(body.decode("utf-8", "surrogatepass")))


def _body(services: Services, value: Payload) -> bytes:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    limit = services.settings.max_payload_bytes
    if len(body) > limit:
        raise PayloadTooLarge(f"a value of {len(body)} bytes is over the limit of {limit}")
    return body


def _is_surely_small(value: Payload) -> bool:
    return value is None or isinstance(value, bool | int | float)
