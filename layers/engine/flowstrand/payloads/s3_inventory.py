"""The payloads of a bucket that keeps versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowstrand.aws_faults import unavailable_on_faults
from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError
from flowstrand.payloads.inventory import StoredPayload

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_PREFIX = "payloads/"
_UNVERSIONED = "null"


class S3Inventory:
    """A `PayloadInventory`. Needs `s3:ListBucketVersions` and `s3:DeleteObjectVersion`."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def stored(self) -> Iterator[StoredPayload]:
        """See `PayloadInventory.stored`."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=_PREFIX)
        with unavailable_on_faults("list the payloads"):
            for page in pages:
                for found in page.get("Versions", []):
                    org, _, sha256 = found["Key"].removeprefix(_PREFIX).partition("/")
                    if found["IsLatest"] and sha256:
                        version = self._told_apart(found["VersionId"])
                        yield StoredPayload(org=OrgId(org), sha256=sha256, size=found["Size"], version=version)

    def remove(self, payload: StoredPayload) -> None:
        """See `PayloadInventory.remove`."""
        key = f"{_PREFIX}{payload.org}/{payload.sha256}"
        with unavailable_on_faults("delete a payload"):
            self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=payload.version)

    def _told_apart(self, version: str) -> str:
        if version == _UNVERSIONED:
            raise ConfigurationError(
                f"the bucket {self._bucket} keeps no versions, or did not when some of its objects were stored"
            )
        return version
