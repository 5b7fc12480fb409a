"""Payloads in S3: one object per value, `payloads/{org}/{sha256}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.engine.ids import OrgId
from flowstrand.payloads.digest import require_digest, verified

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_MISSING = frozenset({"NoSuchKey", "404"})


class S3Payloads:
    """A `PayloadStore` in a bucket. `client` may be shared between threads.

    S3 says that an object is missing only to those who may list the bucket; others are refused.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, org: OrgId, sha256: str, body: bytes) -> None:
        """See `PayloadStore.put`.

        Raises:
            ValueError: `sha256` is not the digest of `body`.
        """
        require_digest(sha256, body)
        with unavailable_on_faults("store a payload"):
            self._client.put_object(
                Bucket=self._bucket, Key=_key(org, sha256), Body=body, ContentType="application/json"
            )

    def get(self, org: OrgId, sha256: str) -> bytes:
        """See `PayloadStore.get`."""
        return verified(sha256, self._fetch(_key(org, sha256)))

    def _fetch(self, key: str) -> bytes | None:
        with unavailable_on_faults("fetch a payload"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error_code(error) not in _MISSING:
                    raise
                return None


def _key(org: OrgId, sha256: str) -> str:
    return f"payloads/{org}/{sha256}"
