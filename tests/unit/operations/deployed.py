"""The stores and queues of `template.yaml` in moto's CloudFormation, with functions that are there in name only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flowstrand.operations.place import Place, stack_place
from flowstrand.operations.stack import Clients, found_in_cloudformation
from tests.unit.template import template

KEPT = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue"}
"""What moto's CloudFormation knows."""
FUNCTIONS = {"ResumerFunction": "flowstrand-resumer", "TasksFunction": "flowstrand-tasks"}


class Functions:
    """`LambdaClient`: functions with the environment that the template gives them.

    Attributes:
        environments: by the function's name.
        states: of each function's event source mapping.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environments = {name: dict(environment) for name in FUNCTIONS.values()}
        self.states = dict.fromkeys(FUNCTIONS.values(), "Enabled")
        self.results = dict.fromkeys(FUNCTIONS.values(), "OK")

    def get_function_configuration(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803
        return {"State": "Active", "Environment": {"Variables": self.environments[FunctionName]}}

    def list_event_source_mappings(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803
        mapping = {
            "State": self.states[FunctionName],
            "EventSourceArn": "arn:aws:sqs:eu-central-1:000000000000:control",
            "LastProcessingResult": self.results[FunctionName],
        }
        return {"EventSourceMappings": [mapping]}


def deploy(clients: Clients, stack: str) -> tuple[Place, Functions]:
    """The stack, as operators find it. AWS is moto's."""
    resources = {
        name: {"Type": resource["Type"], "Properties": _in_json(resource.get("Properties", {}))}
        for name, resource in template()["Resources"].items()
        if resource["Type"] in KEPT
    }
    cloudformation: Any = clients.cloudformation
    cloudformation.create_stack(
        StackName=stack, TemplateBody=json.dumps({**_conditions(), "Resources": resources})
    )
    names = replace(found_in_cloudformation(clients, stack), functions=FUNCTIONS)
    for table in (names.log_table, names.directory_table):  # what moto's CloudFormation leaves out
        clients.dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )
        clients.dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    blocked: Any = template()["Resources"]["PayloadBucket"]["Properties"]["PublicAccessBlockConfiguration"]
    clients.s3.put_public_access_block(Bucket=names.payload_bucket, PublicAccessBlockConfiguration=blocked)
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
    return stack_place(names, replace(clients, functions=functions), title="the stack"), functions


def _conditions() -> dict[str, Any]:
    return {section: _in_json(template()[section]) for section in ("Parameters", "Conditions")}


def _in_json(value: Any) -> Any:
    """JSON spells `Fn::GetAtt` with two names, YAML with one."""
    match value:
        case {"Fn::GetAtt": str() as path}:
            return {"Fn::GetAtt": path.split(".")}
        case dict():
            return {name: _in_json(each) for name, each in value.items()}
        case list():
            return [_in_json(each) for each in value]
        case _:
            return value
