"""`DeployedStack`: the resources of `template.yaml` on emulators, and its functions under the runtime client, each in a process.

Tables are Dynoxide's; queues, the bucket, secrets and schedules are those of moto's server. Everything is called what
CloudFormation would call it in a stack of this name, and a function knows of it what the template tells it.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import boto3

from tests.lambdas.function import LambdaFunction, Specification
from tests.lambdas.mounts import interpreter, mounts
from tests.lambdas.resolved import Resolved
from tests.support.dynoxide import dynoxide
from tests.support.processes import LOOPBACK, clean_environment, free_port, process
from tests.unit.template import functions, template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

ACCOUNT, REGION = "123456789012", "eu-central-1"
_CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": REGION}
_TABLE = ("AttributeDefinitions", "KeySchema", "BillingMode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulators:
    """Servers that many stacks may share."""

    dynamodb: str
    others: str

    def client(self, service: str) -> Any:
        """boto3's client of a service."""
        url = self.dynamodb if service.startswith("dynamodb") else self.others
        return cast("Any", boto3.client)(service, endpoint_url=url, **_CREDENTIALS)


@contextmanager
def emulators(folder: Path) -> Iterator[Emulators]:
    """Both servers, empty, on free ports; their logs go to `folder`.

    Raises:
        DynoxideUnavailableError: there is none for this machine.
    """
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    moto = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
    with (
        dynoxide(folder) as dynamodb,
        process(moto, clean_environment(), folder / "moto.log", f"{url}/moto-api/data.json"),
    ):
        yield Emulators(dynamodb=dynamodb, others=url)


class DeployedStack:
    """One stack. `close` ends its processes; its resources end with the emulators."""

    def __init__(
        self,
        name: str,
        on: Emulators,
        folder: Path,
        *,
        parameters: Mapping[str, str] | None = None,
        workflows: Path | None = None,
        variables: Mapping[str, str] | None = None,
        secret_strings: Mapping[str, str] | None = None,
    ) -> None:
        """Make the resources.

        Args:
            folder: for the functions' folders and logs.
            workflows: a folder of modules that are in the workflows layer, too.
            variables: what every function has in its environment besides, or instead.
            secret_strings: by logical id; random where nothing is said.
        """
        self.name, self.on = name, on
        self._folder = folder
        self._workflows = workflows
        self._variables = variables or {}
        self._secret_strings = secret_strings or {}
        self._attributes: dict[tuple[str, str | None], str] = {}
        self._functions: dict[str, LambdaFunction] = {}
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/{uuid4()}",
            "AWS::StackName": name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self.resolved = Resolved(pseudo, parameters or {}, self.attribute)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return cast("DynamoDBClient", self.on.client("dynamodb"))

    @cached_property
    def sqs(self) -> SQSClient:
        return cast("SQSClient", self.on.client("sqs"))

    @cached_property
    def s3(self) -> S3Client:
        return cast("S3Client", self.on.client("s3"))

    def attribute(self, logical_id: str, attribute: str | None = None) -> str:
        """What `Ref` (None) and `GetAtt` give. A resource is made when it is first asked for."""
        if (logical_id, None) not in self._attributes:
            self._make(logical_id)
        found = self._attributes.get((logical_id, attribute))
        # Of resources that functions only hand on, such as roles, the name is all there is.
        return found if found is not None else f"arn:aws:none:{REGION}:{ACCOUNT}:{self._called(logical_id)}"

    def function(self, name: str) -> LambdaFunction:
        """The function of `functions/<name>`."""
        if name not in self._functions:
            folder = self._folder / name
            folder.mkdir(parents=True)
            layers, workflows = self._layers(name)
            made = mounts(name, layers, folder, self._workflows if workflows else None)
            specification = self._specification(name, folder, made.task, made.runtime, made.opt)
            self._functions[name] = LambdaFunction(specification, made, folder / "output.log")
        return self._functions[name]

    def close(self) -> None:
        """End what runs."""
        for function in self._functions.values():
            function.close()

    def _layers(self, name: str) -> tuple[list[str], bool]:
        everywhere = template()["Globals"]["Function"].get("Layers", [])
        folders = [
            template()["Resources"][logical_id]["Properties"]["ContentUri"].removeprefix("layers/")
            for logical_id in self._named([*everywhere, *functions()[name].get("Layers", [])])
        ]
        return folders, "workflows" in folders

    def _named(self, references: Any) -> list[str]:
        """The logical ids behind references, some of which may hang on conditions."""
        ids: list[str] = self.resolved.with_attributes(lambda logical_id, _: logical_id).value(references)
        return ids

    def _specification(self, name: str, folder: Path, task: Path, runtime: Path, opt: Path) -> Specification:
        everywhere, own = template()["Globals"]["Function"], functions()[name]
        variables = {
            **everywhere.get("Environment", {}).get("Variables", {}),
            **own.get("Environment", {}).get("Variables", {}),
        }
        named = {key: str(value) for key, value in self.resolved.value(variables).items()}
        called = f"{self.name}-{name}"
        logging = self.resolved.value(own.get("LoggingConfig", everywhere.get("LoggingConfig", {})))
        home = folder / "home"
        home.mkdir()
        return Specification(
            name=name,
            handler=own["Handler"],
            arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{called}",
            timeout_ms=int(own.get("Timeout", everywhere["Timeout"])) * 1_000,
            environment={
                "_HANDLER": own["Handler"],
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_SESSION_TOKEN": "testing",
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_EXECUTION_ENV": f"AWS_Lambda_python{interpreter().version}",
                "AWS_LAMBDA_FUNCTION_NAME": called,
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(own.get("MemorySize", everywhere["MemorySize"])),
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text"),
                "AWS_LAMBDA_LOG_GROUP_NAME": str(logging.get("LogGroup", f"/aws/lambda/{called}")),
                "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/23/[$LATEST]0",
                "LAMBDA_TASK_ROOT": str(task),
                "LAMBDA_RUNTIME_DIR": str(runtime),
                "LANG": "en_US.UTF-8",
                "TZ": ":UTC",
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(home),
                # The code, the layers, what the runtime brings: Lambda's own order.
                "PYTHONPATH": f"{task}:{opt / 'python'}:{runtime}",
                "PYTHONNOUSERSITE": "1",
                "AWS_ENDPOINT_URL_DYNAMODB": self.on.dynamodb,
                "AWS_ENDPOINT_URL": self.on.others,
                **named,
                **self._variables,
            },
        )

    def _called(self, logical_id: str) -> str:
        return f"{self.name}-{logical_id}"

    def _make(self, logical_id: str) -> None:
        resource = template()["Resources"][logical_id]
        self._attributes[logical_id, None] = self._called(logical_id)
        properties = self.resolved.value(resource.get("Properties", {}))
        match resource["Type"]:
            case "AWS::DynamoDB::Table":
                self._make_table(logical_id, properties)
            case "AWS::SQS::Queue":
                self._make_queue(logical_id, properties)
            case "AWS::S3::Bucket":
                self._make_bucket(logical_id)
            case "AWS::SecretsManager::Secret":
                self._make_secret(logical_id)
            case "AWS::Scheduler::ScheduleGroup":
                self.on.client("scheduler").create_schedule_group(Name=self._called(logical_id))
            case _:
                """What functions only hand on, or CloudFormation itself makes use of, has a name."""

    def _make_table(self, logical_id: str, properties: Mapping[str, Any]) -> None:
        name = self._called(logical_id)
        stream = properties.get("StreamSpecification")
        answer = self.on.client("dynamodb").create_table(
            TableName=name,
            **{key: properties[key] for key in _TABLE if key in properties},
            **({} if stream is None else {"StreamSpecification": {"StreamEnabled": True, **stream}}),
        )
        described = answer["TableDescription"]
        self._attributes[logical_id, "Arn"] = described["TableArn"]
        self._attributes[logical_id, "StreamArn"] = described.get("LatestStreamArn", "")
        life = properties.get("TimeToLiveSpecification")
        if life is not None:
            self.on.client("dynamodb").update_time_to_live(TableName=name, TimeToLiveSpecification=life)

    def _make_queue(self, logical_id: str, properties: Mapping[str, Any]) -> None:
        name = self._called(logical_id)
        attributes = {
            key: str(properties[key])
            for key in ("VisibilityTimeout", "MessageRetentionPeriod")
            if key in properties
        }
        self._attributes[logical_id, None] = self.sqs.create_queue(
            QueueName=name, Attributes=cast("Any", attributes)
        )["QueueUrl"]
        self._attributes[logical_id, "Arn"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self._attributes[logical_id, "QueueName"] = name

    def _make_bucket(self, logical_id: str) -> None:
        name = self._called(logical_id).lower()
        place: Any = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
        self._attributes[logical_id, None] = name
        self._attributes[logical_id, "Arn"] = f"arn:aws:s3:::{name}"

    def _make_secret(self, logical_id: str) -> None:
        text = self._secret_strings.get(logical_id) or secrets.token_hex(32)
        client = self.on.client("secretsmanager")
        made = client.create_secret(Name=self._called(logical_id), SecretString=text)
        self._attributes[logical_id, None] = made["ARN"]
