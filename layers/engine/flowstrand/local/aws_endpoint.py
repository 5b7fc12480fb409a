"""`AwsEndpoint`: where the DynamoDB store of the local server is: AWS, or something that speaks like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client

LOCALSTACK = "localstack"
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    max_pool_connections=64,
    retries={"mode": "standard", "total_max_attempts": 4},
)
_EMULATED = Config(s3={"addressing_style": "path"})
_HOME_REGION = "us-east-1"
"""Where S3 refuses a location constraint; everywhere else it demands one."""
_EXISTS = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsEndpoint:
    """Endpoints and names.

    Attributes:
        dynamodb_url, s3_url: None for AWS itself.
        options: what boto3 clients are made with: region, and for an emulator credentials that it does not check.
    """

    dynamodb_url: str | None
    s3_url: str | None
    log_table: str
    directory_table: str
    payload_bucket: str
    options: Mapping[str, str]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> AwsEndpoint:
        """What the environment says.

        `FLOWSTRAND_DYNAMODB_ENDPOINT`, else `AWS_ENDPOINT_URL`, is a URL or `localstack`; S3 is there as well unless
        `AWS_ENDPOINT_URL_S3` says otherwise. Without either, AWS is meant, with its usual configuration.
        """
        given = environment.get("FLOWSTRAND_DYNAMODB_ENDPOINT") or environment.get("AWS_ENDPOINT_URL")
        dynamodb, s3 = _urls(given)
        return cls(
            dynamodb_url=dynamodb,
            s3_url=environment.get("AWS_ENDPOINT_URL_S3") or s3,
            log_table=environment.get("FLOWSTRAND_LOG_TABLE", "flowstrand-log"),
            directory_table=environment.get("FLOWSTRAND_DIRECTORY_TABLE", "flowstrand-directory"),
            payload_bucket=environment.get("FLOWSTRAND_PAYLOAD_BUCKET", "flowstrand-payloads"),
            options=_emulator_options(environment) if given else {},
        )

    @property
    def is_emulated(self) -> bool:
        """Whether this is not AWS: there is no stack, so tables and bucket are made at need."""
        return self.dynamodb_url is not None

    def dynamodb(self) -> DynamoDBClient:
        """A DynamoDB client."""
        config = _CONFIG
        options: dict[str, Any] = dict(self.options)
        return boto3.client("dynamodb", endpoint_url=self.dynamodb_url, config=config, **options)

    def s3(self) -> S3Client:
        """An S3 client."""
        config = _CONFIG.merge(Config(signature_version="s3v4"))  # whose URLs cover what is sent
        config = config.merge(_EMULATED) if self.is_emulated else config
        options: dict[str, Any] = dict(self.options)
        return boto3.client("s3", endpoint_url=self.s3_url, config=config, **options)

    def ensure_bucket(self, client: S3Client) -> None:
        """Make the payload bucket unless it is there.

        Raises:
            ConfigurationError: the endpoint has no S3.
        """
        try:
            if client.meta.region_name == _HOME_REGION:
                client.create_bucket(Bucket=self.payload_bucket)
            else:
                place: Any = {"LocationConstraint": client.meta.region_name}
                client.create_bucket(Bucket=self.payload_bucket, CreateBucketConfiguration=place)
        except client.exceptions.ClientError as error:
            if error.response["Error"].get("Code") not in _EXISTS:
                raise self._no_s3(error) from error
        except BotoCoreError as error:
            raise self._no_s3(error) from error

    def _no_s3(self, error: ClientError | BotoCoreError) -> ConfigurationError:
        return ConfigurationError(f"no S3 at {self.s3_url} (set AWS_ENDPOINT_URL_S3): {error}")


def _urls(given: str | None) -> tuple[str | None, str | None]:
    if given != LOCALSTACK:
        return given or None, given or None
    try:
        from localstack_client.config import get_service_endpoint  # type: ignore[import-untyped] # it has none
    except ImportError as error:
        raise ConfigurationError("the endpoint 'localstack' needs the package localstack-client") from error
    return get_service_endpoint("dynamodb"), get_service_endpoint("s3")


def _emulator_options(environment: Mapping[str, str]) -> dict[str, str]:
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    options = {"region_name": region}
    if not environment.get("AWS_ACCESS_KEY_ID") and not environment.get("AWS_PROFILE"):
        options |= {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return options
