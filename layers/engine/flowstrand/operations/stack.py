"""What the resources of a stack are called: as CloudFormation knows them, or as the environment of a function has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 5})
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4"))


class CloudFormationClient(Protocol):
    """The one call of boto3's CloudFormation client that is used."""

    def list_stack_resources(self, **request: str) -> Mapping[str, Any]:
        """A page of `StackResourceSummaries`."""
        ...


class LambdaClient(Protocol):
    """The calls of boto3's Lambda client that are used."""

    def get_function_configuration(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        """A function's configuration."""
        ...

    def list_event_source_mappings(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        """What calls a function."""
        ...


class IamClient(Protocol):
    """The one call of boto3's IAM client that is used."""

    def simulate_principal_policy(
        self,
        *,
        PolicySourceArn: str,  # noqa: N803 - boto3's names
        ActionNames: Sequence[str],  # noqa: N803
        ResourceArns: Sequence[str],  # noqa: N803
    ) -> Mapping[str, Any]:
        """What of the actions a role may do to the resources: its `EvaluationResults`."""
        ...


class SecretsClient(Protocol):
    """The calls of boto3's Secrets Manager client that are used."""

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """Make a new version of a secret, and the current one the previous."""
        ...


@dataclass(frozen=True, kw_only=True)
class Clients:
    """boto3's clients, of one account and region."""

    dynamodb: DynamoDBClient
    s3: S3Client
    sqs: SQSClient
    cloudformation: CloudFormationClient
    functions: LambdaClient
    iam: IamClient
    secrets: SecretsClient


def boto_clients() -> Clients:
    """Clients as boto3 is configured: credentials, region, `AWS_ENDPOINT_URL`.

    Raises:
        ConfigurationError: there is no region.
    """
    try:
        return Clients(
            dynamodb=boto3.client("dynamodb", config=_CONFIG),
            s3=boto3.client("s3", config=_S3_CONFIG),
            sqs=boto3.client("sqs", config=_CONFIG),
            cloudformation=boto3.client("cloudformation", config=_CONFIG),
            functions=boto3.client("lambda", config=_CONFIG),
            iam=boto3.client("iam", config=_CONFIG),
            secrets=boto3.client("secretsmanager", config=_CONFIG),
        )
    except BotoCoreError as error:
        raise ConfigurationError(f"AWS is not configured here: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class StackNames:
    """Names, URLs and ARNs. What is None is not known, and not looked at.

    Attributes:
        task_queue_prefix: what the queues that workers poll are called by; they are made at need.
        functions: what CloudFormation calls each function, by its logical id.
    """

    log_table: str
    directory_table: str
    payload_bucket: str
    control_queue_url: str | None = None
    control_dead_letters_url: str | None = None
    hosted_task_queue_url: str | None = None
    hosted_task_dead_letters_url: str | None = None
    projector_dead_letters_url: str | None = None
    lease_secret_arn: str | None = None
    ticket_secret_arn: str | None = None
    task_queue_prefix: str | None = None
    functions: Mapping[str, str]

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> StackNames | None:
        """What a deployed function's environment says; None where it does not name a table.

        Raises:
            ConfigurationError: it names some of the stores, but not all.
        """
        stores = {name: environment.get(f"FLOWSTRAND_{name.upper()}", "") for name in _STORES}
        if not any(stores.values()):
            return None
        if missing := [f"FLOWSTRAND_{name.upper()}" for name, value in stores.items() if not value]:
            raise ConfigurationError(f"the environment lacks {', '.join(missing)}")
        others = {name: environment.get(f"FLOWSTRAND_{name.upper()}") or None for name in _OTHERS}
        named: dict[str, Any] = {**stores, **others}
        return cls(**named, functions={})


_STORES = ("log_table", "directory_table", "payload_bucket")
_OTHERS = (
    "control_queue_url",
    "control_dead_letters_url",
    "hosted_task_queue_url",
    "hosted_task_dead_letters_url",
    "projector_dead_letters_url",
    "lease_secret_arn",
    "ticket_secret_arn",
    "task_queue_prefix",
)
_LOGICAL_IDS = {
    "log_table": "LogTable",
    "directory_table": "DirectoryTable",
    "payload_bucket": "PayloadBucket",
    "control_queue_url": "ControlQueue",
    "control_dead_letters_url": "ControlDeadLetters",
    "hosted_task_queue_url": "HostedTaskQueue",
    "hosted_task_dead_letters_url": "HostedTaskDeadLetters",
    "projector_dead_letters_url": "ProjectorDeadLetters",
    "lease_secret_arn": "LeaseSecret",
    "ticket_secret_arn": "TicketSecret",
}
_FUNCTION = "AWS::Lambda::Function"


def found_in_cloudformation(clients: Clients, stack: str) -> StackNames:
    """The resources of a stack. Needs `cloudformation:ListStackResources`.

    Raises:
        ConfigurationError: there is no such stack, it is none of ours, or it may not be looked at.
    """
    try:
        found = list(_resources(clients, stack))
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(f"the stack {stack} cannot be looked at: {error}") from error
    ids = {resource["LogicalResourceId"]: str(resource.get("PhysicalResourceId", "")) for resource in found}
    if missing := [logical for name, logical in _LOGICAL_IDS.items() if name in _STORES and not ids.get(logical)]:
        raise ConfigurationError(f"{stack} is no stack of Flowstrand: it has no {', '.join(missing)}")
    functions = {
        r["LogicalResourceId"]: str(r["PhysicalResourceId"]) for r in found if r["ResourceType"] == _FUNCTION
    }
    named: dict[str, Any] = {name: ids.get(logical) or None for name, logical in _LOGICAL_IDS.items()}
    # As the template has it, of the environment of every function.
    return StackNames(**named, task_queue_prefix=f"{stack}-task", functions=functions)


def _resources(clients: Clients, stack: str) -> Iterator[Mapping[str, Any]]:
    request = {"StackName": stack}
    while True:
        page = clients.cloudformation.list_stack_resources(**request)
        yield from page["StackResourceSummaries"]
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]
