"""Bodies about payloads that are too large for a request."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from flowstrand.engine.payload_reference import ID_PATTERN, to_reference
from flowstrand.engine.schema import rfc3339
from flowstrand.http.body import RequestBody
from flowstrand.http.request_fields import LeaseToken
from flowstrand.http.response_body import ResponseBody
from flowstrand.service.uploads import BegunUpload, Download

Sha256 = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Size = Annotated[int, Field(ge=1)]


class UploadPayload(RequestBody):
    """`POST /payloads`: what the upload will hold."""

    size_bytes: Size
    sha256: Sha256


class UploadOutput(RequestBody):
    """`POST /task-executions/{id}/payloads`: the same of an output."""

    lease_token: LeaseToken
    size_bytes: Size
    sha256: Sha256


class UploadBegun(ResponseBody):
    """Where to send a value. `payload` stands for it, wherever a value is taken, once it is there; if `stored`, it is."""

    payload_id: str
    payload: dict[str, Any]
    stored: bool
    upload_url: str
    method: str
    headers: dict[str, str]
    expires_at: str

    @classmethod
    def of(cls, begun: BegunUpload) -> UploadBegun:
        """What `begun` says."""
        return cls(
            payload_id=begun.ref.sha256,
            payload=to_reference(begun.ref),
            stored=begun.is_stored,
            upload_url=begun.url,
            method=begun.method,
            headers=dict(begun.headers),
            expires_at=rfc3339(begun.expires_at_ms),
        )


class PayloadFound(ResponseBody):
    """Where to get a value from."""

    payload_id: str
    size_bytes: int
    download_url: str
    expires_at: str

    @classmethod
    def of(cls, download: Download) -> PayloadFound:
        """What `download` says."""
        return cls(
            payload_id=download.ref.sha256,
            size_bytes=download.ref.size,
            download_url=download.url,
            expires_at=rfc3339(download.expires_at_ms),
        )
