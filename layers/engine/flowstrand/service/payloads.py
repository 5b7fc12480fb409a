"""Payload offload: values over a limit are stored first, under their content hash, and referenced from the log.

A value that was uploaded is there already: what comes in its place, `engine.payload_reference`, becomes the same reference.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, cast

from flowstrand.engine.events import Event, EventData
from flowstrand.engine.ids import OrgId
from flowstrand.engine.payload_reference import id_of, is_reference, to_reference
from flowstrand.engine.schema import Payload, PayloadRef, payload_fields
from flowstrand.errors import CallerError, InvalidInput, NotFound, PayloadTooLarge
from flowstrand.json_depth import MAX_DEPTH, is_deeper
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service import payload_marks
from flowstrand.service.container import Services

_ENCODED_KEYS = {"$flowstrand", "codecs", "data"}


def offload(services: Services, org: OrgId, data: EventData, *, inline_bytes: int | None = None) -> EventData:
    """`data` with every large value stored and replaced by a reference.

    Args:
        inline_bytes: what is larger is large; `Settings.inline_payload_bytes` by default.

    Raises:
        PayloadTooLarge: a value is over `Settings.max_payload_bytes`, and none that was uploaded.
        StoreUnavailable: it could not be stored.
    """
    replaced: dict[str, Any] = {}
    for attribute, _ in payload_fields(type(data)):
        value = getattr(data, attribute)
        stored = _handed_on(services, org, value) or _store(services, org, value, inline_bytes)
        if stored is not value:
            replaced[attribute] = stored
    return replace(data, **replaced) if replaced else data


def _handed_on(services: Services, org: OrgId, value: Payload) -> PayloadRef | None:
    """What code hands on of an uploaded value that it was given; None for anything else. Code is never refused for it."""
    if not isinstance(value, dict) or not is_reference(value):
        return None
    try:
        return _referred_to(services, org, value)
    except CallerError:
        return None


def inline(services: Services, org: OrgId, event: Event, *, most: int | None = None) -> Event:
    """`event` with every reference replaced by what `fetch` gives for it.

    Raises:
        LogCorrupted: a value is missing or does not match its hash.
        StoreUnavailable: it could not be read.
    """
    data = event.data
    fetched: dict[str, Any] = {}
    for attribute, _ in payload_fields(type(data)):
        value = getattr(data, attribute)
        if isinstance(value, PayloadRef):
            fetched[attribute] = fetch(services, org, value, most=most)
    return replace(event, data=replace(data, **fetched)) if fetched else event


def store(services: Services, org: OrgId, value: Payload) -> Payload:
    """`value` as a log takes it: as it is, or stored and referenced where it is large or was uploaded.

    Raises:
        PayloadTooLarge: it is over `Settings.max_payload_bytes`.
        NotFound, InvalidInput: what stands for an uploaded value does not; see `accept`.
        StoreUnavailable: it could not be stored.
    """
    if isinstance(value, dict) and is_reference(value):
        return accept(services, org, value)
    return _store(services, org, value, None)


def _store(services: Services, org: OrgId, value: Payload, inline_bytes: int | None) -> Payload:
    if isinstance(value, PayloadRef) or _is_surely_small(value):
        return value
    body = _json(value)
    if len(body) <= (services.settings.inline_payload_bytes if inline_bytes is None else inline_bytes):
        return value
    sha256 = hashlib.sha256(body).hexdigest()
    # What is too large to be taken may be handed on, as it was uploaded: it is there.
    if len(body) <= services.settings.max_payload_bytes:
        services.payloads.put(org, sha256, body)
    elif services.payloads.size_of(org, sha256) is None:
        raise _too_large(services, body)
    return PayloadRef(sha256, len(body))


def accept(services: Services, org: OrgId, reference: JsonObject) -> PayloadRef:
    """The uploaded value that a caller has sent a reference to. Where workflow code is to have it, that it is JSON is checked.

    Raises:
        InvalidInput: `INVALID_PAYLOAD`: the reference is not well formed, or what was uploaded is no JSON.
        NotFound: `PAYLOAD_NOT_FOUND`: nothing of this org was uploaded there, or nobody has referred to it for so long that it has gone.
        PayloadTooLarge: it is larger than uploads may be.
    """
    ref = _referred_to(services, org, reference)
    if not hold(services, org, ref.sha256):
        raise payload_not_found()
    return ref


def hold(services: Services, org: OrgId, sha256: str) -> bool:
    """Whether a stored value may be referred to. What is being deleted is stored again, so that it is there whatever becomes of that.

    Raises:
        StoreUnavailable: it cannot be said.
    """
    if payload_marks.hold(services.directory, org, sha256, services.clock.now_ms()):
        return True
    try:
        body = services.payloads.get(org, sha256)
    except Exception:  # what is said of nothing depends on the rights that one has
        if services.payloads.size_of(org, sha256) is None:
            return False
        raise
    services.payloads.put(org, sha256, body)
    payload_marks.lift(services.directory, org, sha256, services.clock.now_ms())
    return True


def _referred_to(services: Services, org: OrgId, reference: JsonObject) -> PayloadRef:
    id = id_of(reference)
    if id is None:
        raise InvalidInput("not a reference to an uploaded payload", code="INVALID_PAYLOAD")
    size = services.payloads.size_of(org, id)
    if size is None:
        raise payload_not_found()
    if size > services.settings.max_upload_bytes:
        raise PayloadTooLarge(f"an uploaded value of {size} bytes is over the limit")
    ref = PayloadRef(id, size)
    if size <= services.settings.max_replayed_payload_bytes:
        _require_json(services, org, ref)
    return ref


def _require_json(services: Services, org: OrgId, ref: PayloadRef) -> None:
    try:
        value = fetch(services, org, ref, most=ref.size)
    except (ValueError, RecursionError):
        raise InvalidInput("what was uploaded is no JSON", code="INVALID_PAYLOAD") from None
    if is_deeper(value, MAX_DEPTH):
        raise InvalidInput(
            f"what was uploaded is nested more than {MAX_DEPTH} levels deep", code="INVALID_PAYLOAD"
        )


def payload_not_found() -> NotFound:
    """What is said of payloads that nobody has uploaded, and of another org's."""
    return NotFound("there is no such payload", code="PAYLOAD_NOT_FOUND")


def require_storable(services: Services, value: JsonValue, *, org: OrgId | None = None) -> None:
    """Refuse now what `store` would refuse later.

    Args:
        org: whose uploaded values may be meant; None where the value is workflow code's own.

    Raises:
        PayloadTooLarge, NotFound, InvalidInput: as `store`.
    """
    if org is not None and isinstance(value, dict) and is_reference(value):
        accept(services, org, value)
    elif not _is_surely_small(value) and len(body := _json(value)) > services.settings.max_payload_bytes:
        raise _too_large(services, body)


def is_encoded(value: JsonValue) -> bool:
    """Whether a client's codecs have encoded the value: nobody here can read it."""
    return isinstance(value, dict) and value.keys() == _ENCODED_KEYS


def fetch(services: Services, org: OrgId, value: Payload, *, most: int | None = None) -> JsonValue:
    """The value itself, read from the payload store where it is a reference; what stands for it, where it is larger than `most`.

    Args:
        most: bytes of JSON; `Settings.max_payload_bytes` by default, so that what is sent in an answer fits into one.
    """
    if not isinstance(value, PayloadRef):
        return value
    if value.size > (services.settings.max_payload_bytes if most is None else most):
        return to_reference(value)
    body = services.payloads.get(org, value.sha256)
    return cast(JsonValue, json.loads(body.decode("utf-8", "surrogatepass")))


def _json(value: Payload) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _too_large(services: Services, body: bytes) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"a value of {len(body)} bytes is over the limit of {services.settings.max_payload_bytes}"
    )


def _is_surely_small(value: Payload) -> bool:
    return value is None or isinstance(value, bool | int | float)
