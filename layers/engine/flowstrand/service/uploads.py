"""Uploads and downloads: values too large for a request go to the payload store past the API, and are named by their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import cast

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.engine.payload_reference import id_of, to_reference
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import PayloadTooLarge, Unavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.payloads.transfers import PayloadTransfers
from flowstrand.service.container import Services
from flowstrand.service.payloads import hold, payload_not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunUpload:
    """Where to send a value, how, and until when; `ref` stands for it once it is there, and with `is_stored` it is."""

    ref: PayloadRef
    is_stored: bool
    url: str
    method: str
    headers: Mapping[str, str]
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Where to get a value from, and until when."""

    ref: PayloadRef
    url: str
    expires_at_ms: int


def begin(services: Services, org: OrgId, *, sha256: str, size: int) -> BegunUpload:
    """Let somebody store a value.

    Args:
        sha256: of its JSON, in hex; whatever else is sent is refused.
        size: bytes of its JSON.

    Raises:
        PayloadTooLarge: it is over `Settings.max_upload_bytes`.
        Unavailable: this server takes none.
        StoreUnavailable: it cannot be said whether the value is there already.
    """
    limit = services.settings.max_upload_bytes
    if size > limit:
        raise PayloadTooLarge(f"an upload may have {limit} bytes, not {size}")
    expires_s = services.settings.transfer_url_s
    upload = _transfers(services).upload(org, sha256, size, expires_s=expires_s)
    return BegunUpload(
        ref=PayloadRef(sha256, size),
        is_stored=_is_stored(services, org, sha256, size),
        url=upload.url,
        method=upload.method,
        headers=upload.headers,
        expires_at_ms=services.clock.now_ms() + expires_s * 1_000,
    )


def _is_stored(services: Services, org: OrgId, sha256: str, size: int) -> bool:
    """Whether the value is there, and stays for as long as it takes to refer to it."""
    if services.payloads.size_of(org, sha256) != size:
        return False
    return hold(services, org, sha256)


def find(services: Services, org: OrgId, sha256: str) -> Download:
    """A value that is stored.

    Raises:
        NotFound: `PAYLOAD_NOT_FOUND`: nothing is, or it is another org's.
        Unavailable: this server gives none out.
    """
    size = services.payloads.size_of(org, sha256)
    if size is None:
        raise payload_not_found()
    return download(services, org, PayloadRef(sha256, size))


def download(services: Services, org: OrgId, ref: PayloadRef) -> Download:
    """A value that is known to be stored."""
    expires_s = services.settings.transfer_url_s
    url = _transfers(services).download(org, ref.sha256, expires_s=expires_s)
    return Download(ref=ref, url=url, expires_at_ms=services.clock.now_ms() + expires_s * 1_000)


def keep(services: Services, org: OrgId, body: bytes) -> JsonValue:
    """Store a value, as JSON, where no detour is needed; returns what stands for it.

    Raises:
        PayloadTooLarge: it is over `Settings.max_upload_bytes`.
        StoreUnavailable: it could not be stored.
    """
    limit = services.settings.max_upload_bytes
    if len(body) > limit:
        raise PayloadTooLarge(f"a value may have {limit} bytes, not {len(body)}")
    ref = PayloadRef(hashlib.sha256(body).hexdigest(), len(body))
    services.payloads.put(org, ref.sha256, body)
    return to_reference(ref)


def read(services: Services, org: OrgId, reference: JsonValue) -> JsonValue:
    """The value that a reference stands for, however large; the other way round.

    Raises:
        NotFound: `PAYLOAD_NOT_FOUND`.
        StoreUnavailable: it could not be read.
    """
    id = id_of(reference)
    if id is None:
        raise payload_not_found()
    body = services.payloads.get(org, id)
    return cast(JsonValue, json.loads(body.decode("utf-8", "surrogatepass")))


def _transfers(services: Services) -> PayloadTransfers:
    if services.transfers is None:
        raise Unavailable("this server takes no uploads")
    return services.transfers
