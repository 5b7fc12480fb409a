"""The stores and queues of `template.yaml` in moto, with functions that are there in name only, and their roles' rights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import boto3
from botocore.exceptions import ClientError

from flowstrand.operations.checks.permissions import NEEDED, ON_LOG
from flowstrand.operations.place import Place, stack_place
from flowstrand.operations.stack import Clients, found_in_cloudformation
from tests.unit.template import template

FUNCTIONS = {"ResumerFunction": "flowstrand-resumer", "TasksFunction": "flowstrand-tasks"}


class Functions:
    """`LambdaClient`: functions with the environment that the template gives them. `IamClient`: their roles, by the same names.

    Attributes:
        environments: by the function's name.
        states: of each function's event source mapping.
        rights: of each role, where they are others than they should be: whether an action is granted.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environments = {name: dict(environment) for name in FUNCTIONS.values()}
        self.states = dict.fromkeys(FUNCTIONS.values(), "Enabled")
        self.results = dict.fromkeys(FUNCTIONS.values(), "OK")
        self.rights: dict[tuple[str, str], bool] = {}

    def get_function_configuration(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803
        variables = {"Variables": self.environments[FunctionName]}
        return {"State": "Active", "Environment": variables, "Role": FunctionName}

    def list_event_source_mappings(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803
        mapping = {
            "State": self.states[FunctionName],
            "EventSourceArn": "arn:aws:sqs:eu-central-1:000000000000:control",
            "LastProcessingResult": self.results[FunctionName],
        }
        return {"EventSourceMappings": [mapping]}

    def simulate_principal_policy(
        self,
        *,
        PolicySourceArn: str,  # noqa: N803
        ActionNames: Sequence[str],  # noqa: N803
        ResourceArns: Sequence[str],  # noqa: N803
    ) -> Mapping[str, Any]:
        [title] = [title for title, name in FUNCTIONS.items() if name == PolicySourceArn]
        [arn] = ResourceArns
        is_log = ":table/" in arn and "LogTable" in arn
        results = []
        for action in ActionNames:
            right = is_log and title in ON_LOG[action]
            right = right or (not is_log and any(title in rights.get(action, ()) for rights in NEEDED.values()))
            right = self.rights.get((PolicySourceArn, action), right)
            results.append({"EvalActionName": action, "EvalDecision": "allowed" if right else "implicitDeny"})
        return {"EvaluationResults": results}


class CloudFormation:
    """`CloudFormationClient`: which resources stacks have, one to a page."""

    def __init__(self) -> None:
        self.stacks: dict[str, list[dict[str, str]]] = {}

    def list_stack_resources(self, **request: str) -> Mapping[str, Any]:
        if request["StackName"] not in self.stacks:
            error: Any = {"Error": {"Code": "ValidationError", "Message": "Stack does not exist"}}
            raise ClientError(error, "ListStackResources")
        resources = self.stacks[request["StackName"]]
        at = int(request.get("NextToken", "0"))
        more = {"NextToken": str(at + 1)} if at + 1 < len(resources) else {}
        return {"StackResourceSummaries": resources[at : at + 1], **more}


def deploy(clients: Clients, stack: str) -> tuple[Place, Functions]:
    """The stack, as operators find it. AWS is moto's."""
    cloudformation = CloudFormation()
    cloudformation.stacks[stack] = [
        {
            "LogicalResourceId": logical,
            "PhysicalResourceId": _made(clients, stack, logical, resource["Properties"]),
            "ResourceType": resource["Type"],
        }
        for logical, resource in _in_order()
    ] + [
        {"LogicalResourceId": logical, "PhysicalResourceId": name, "ResourceType": "AWS::Lambda::Function"}
        for logical, name in FUNCTIONS.items()
    ]
    clients = replace(clients, cloudformation=cloudformation)
    names = found_in_cloudformation(clients, stack)
    functions = Functions(
        {
            "FLOWSTRAND_LOG_TABLE": names.log_table,
            "FLOWSTRAND_DIRECTORY_TABLE": names.directory_table,
            "FLOWSTRAND_PAYLOAD_BUCKET": names.payload_bucket,
            "FLOWSTRAND_CONTROL_QUEUE_URL": str(names.control_queue_url),
            "FLOWSTRAND_CONTROL_QUEUE_ARN": "arn",
            "FLOWSTRAND_TASK_QUEUE_PREFIX": "flowstrand-task",
            "FLOWSTRAND_SCHEDULE_GROUP": "timers",
            "FLOWSTRAND_SCHEDULE_ROLE_ARN": "arn",
        }
    )
    return stack_place(names, replace(clients, functions=functions, iam=functions), title="the stack"), functions


_MADE = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")


def _in_order() -> list[tuple[str, dict[str, Any]]]:
    """The stores and queues; dead letters before what leads to them."""
    kept = [(name, resource) for name, resource in template()["Resources"].items() if resource["Type"] in _MADE]
    return sorted(kept, key=lambda each: "RedrivePolicy" in each[1]["Properties"])


def _made(clients: Clients, stack: str, logical: str, properties: Mapping[str, Any]) -> str:
    """A resource as the template has it; returns its physical id."""
    name = f"{stack}-{logical}"
    if "KeySchema" in properties:
        return _table(clients, name, properties)
    if "BucketEncryption" in properties:
        return _bucket(clients, name.lower(), properties)
    return _queue(clients, stack, name, properties)


def _table(clients: Clients, name: str, properties: Mapping[str, Any]) -> str:
    given: Any = {key: properties[key] for key in ("BillingMode", "AttributeDefinitions", "KeySchema")}
    stream: Any = {"StreamEnabled": True, **properties["StreamSpecification"]}
    clients.dynamodb.create_table(TableName=name, StreamSpecification=stream, **given)
    clients.dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
    )
    clients.dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"]
    )
    return name


def _bucket(clients: Clients, name: str, properties: Mapping[str, Any]) -> str:
    region: Any = boto3.session.Session().region_name
    clients.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    clients.s3.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"]
    )
    clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    return name


def _queue(clients: Clients, stack: str, name: str, properties: Mapping[str, Any]) -> str:
    attributes: Any = {
        key: str(value)
        for key, value in properties.items()
        if key in {"VisibilityTimeout", "MessageRetentionPeriod"}
    }
    if "RedrivePolicy" in properties:
        dead_letters = properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"].partition(".")[0]
        url = clients.sqs.get_queue_url(QueueName=f"{stack}-{dead_letters}")["QueueUrl"]
        arn = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {**properties["RedrivePolicy"], "deadLetterTargetArn": arn}
        attributes["RedrivePolicy"] = json.dumps(policy)
    return clients.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
