"""Where the contract suites find DynamoDB and S3: moto in process, or the endpoint that the environment names.

`FLOWSTRAND_DYNAMODB_ENDPOINT` is a URL, or `localstack` for wherever LocalStack's own configuration says it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from localstack_client.config import get_service_endpoint  # type: ignore[import-untyped]  # it ships no types
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from tests.support.quick_moto import ANONYMOUS, quick_moto

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client

ENDPOINT_VARIABLE = "FLOWSTRAND_DYNAMODB_ENDPOINT"

# A fault is injected once: the client library must not hide it by trying again.
_ONE_ATTEMPT = Config(retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=16)


@contextmanager
def dynamodb() -> Iterator[DynamoDBClient]:
    """A client of the chosen endpoint."""
    endpoint = dynamodb_endpoint(os.environ.get(ENDPOINT_VARIABLE, ""))
    if endpoint is not None:
        yield boto3.client("dynamodb", endpoint_url=endpoint, config=_ONE_ATTEMPT)
        return
    with mock_aws(), quick_moto(), one_dynamodb_request_at_a_time():
        yield boto3.client("dynamodb", config=_ONE_ATTEMPT.merge(ANONYMOUS))


@contextmanager
def one_dynamodb_request_at_a_time() -> Iterator[None]:
    """Give moto what DynamoDB has: moto checks a condition and writes in two steps that threads can come between."""
    lock = RLock()
    answer = DynamoHandler.call_action

    def answer_alone(handler: DynamoHandler) -> object:
        with lock:
            return answer(handler)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoHandler, "call_action", answer_alone)
        yield


@contextmanager
def s3() -> Iterator[S3Client]:
    """A client of S3 on moto."""
    with mock_aws():
        yield boto3.client("s3", config=_ONE_ATTEMPT)


def dynamodb_endpoint(chosen: str) -> str | None:
    """The URL that the variable's value means; None for moto in process."""
    if chosen == "localstack":
        return str(get_service_endpoint("dynamodb"))
    return chosen or None
