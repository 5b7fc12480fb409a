"""Clients of AWS's services; imported when the first is made, for botocore takes half as long to import as a handler does.

They are botocore's own: boto3 would add resources and transfers, which nobody here uses and which cost time at a cold start.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import Session, get_session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_scheduler.client import EventBridgeSchedulerClient
    from mypy_boto3_sqs.client import SQSClient

    from flowstrand.aws.rotated_secret import SecretsClient

_LONG_POLL_S = 20
# Standard mode retries throttling, 5xx and lost connections with jittered backoff. A put that was repeated after a lost
# reply recognises itself by its commit id.
CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    tcp_keepalive=True,
)
LONG_POLL_CONFIG = CONFIG.merge(Config(read_timeout=_LONG_POLL_S + 5))
_S3_CONFIG = CONFIG.merge(Config(signature_version="s3v4"))
"""Presigned URLs of the older signature do not cover what is sent."""


@cache
def dynamodb() -> DynamoDBClient:
    """The process's one."""
    return cast("DynamoDBClient", _client("dynamodb"))


def s3() -> S3Client:
    """A new one, as are those that follow."""
    return cast("S3Client", _client("s3", _S3_CONFIG))


def scheduler() -> EventBridgeSchedulerClient:
    """Of EventBridge."""
    return cast("EventBridgeSchedulerClient", _client("scheduler"))


def secrets_manager() -> SecretsClient:
    """See `SecretsClient`."""
    return cast("SecretsClient", _client("secretsmanager"))


def sqs() -> SQSClient:
    """Has patience for a long poll."""
    return cast("SQSClient", _client("sqs", LONG_POLL_CONFIG))


def _client(service: str, config: Config = CONFIG) -> object:
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    return get_session()
