"""Payloads in S3: one object per value, `payloads/{org}/{sha256}`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.engine.ids import OrgId
from flowstrand.payloads.digest import require_digest, verified
from flowstrand.payloads.transfers import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_MISSING = frozenset({"NoSuchKey", "404"})
_HIDDEN = frozenset({"403"})
_TYPE = "application/json"


class S3Payloads:
    """A `PayloadStore` in a bucket, and `PayloadTransfers` to and from it. `client` may be shared between threads.

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
            self._client.put_object(Bucket=self._bucket, Key=_key(org, sha256), Body=body, ContentType=_TYPE)

    def get(self, org: OrgId, sha256: str) -> bytes:
        """See `PayloadStore.get`."""
        return verified(sha256, self._fetch(_key(org, sha256)))

    def size_of(self, org: OrgId, sha256: str) -> int | None:
        """See `PayloadStore.size_of`. Who may not list the bucket is refused what is not there: that is taken for nothing."""
        with unavailable_on_faults("look for a payload"):
            try:
                return self._client.head_object(Bucket=self._bucket, Key=_key(org, sha256))["ContentLength"]
            except ClientError as error:
                if error_code(error) not in _MISSING | _HIDDEN:
                    raise
                return None

    def upload(self, org: OrgId, sha256: str, size: int, *, expires_s: int) -> Upload:
        """See `PayloadTransfers.upload`. Length, digest and type are signed: S3 refuses a body that has others."""
        digest = base64.b64encode(bytes.fromhex(sha256)).decode()
        url = self._client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": _key(org, sha256),
                "ContentLength": size,
                "ContentType": _TYPE,
                "ChecksumSHA256": digest,
            },
            ExpiresIn=expires_s,
        )
        headers = {"content-type": _TYPE, "content-length": str(size), "x-amz-checksum-sha256": digest}
        return Upload(url=url, method="PUT", headers=headers)

    def download(self, org: OrgId, sha256: str, *, expires_s: int) -> str:
        """See `PayloadTransfers.download`."""
        params = {"Bucket": self._bucket, "Key": _key(org, sha256)}
        return self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=expires_s)

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
