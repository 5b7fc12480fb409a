"""What the roles of `template.yaml` may do, and must not. Which function has which rights is in `test_template`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.unit.template import allowed, functions, resources, role_of, role_statements, statements, template

PATTERNS = {
    "${PayloadBucket.Arn}/payloads/*": "objects are named by org and digest",
    "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-task-*": (
        "task queues are made at need"
    ),
    "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${TimerSchedules}/*": (
        "schedules are made at need, in a group of the stack's own"
    ),
}
"""Every resource that is a pattern, and why it cannot be less."""
MANAGED = {"AccessLogRole": "API Gateway tries its rights on the account's log groups before it takes the role"}
"""Every role that has a policy of AWS's, and why."""
WITHOUT_RESOURCES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
"""Actions that AWS lets nobody narrow down."""
KMS = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}
SERVICES = {"dynamodb": "dynamodb", "s3": "s3", "sqs": "sqs", "secretsmanager": "secretsmanager"}
LOG_WRITES = {
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
}
FUNCTION_NAMES = sorted(functions())


def every_statement() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, role in resources("AWS::IAM::Role").items():
        for statement in role_statements(role):
            yield name, statement


def test_every_function_has_a_role_of_its_own_so_that_sam_gives_it_none() -> None:
    roles = [role_of(name) for name in FUNCTION_NAMES]
    assert len(set(roles)) == len(roles)
    for name, properties in functions().items():
        assert not {"Policies", "PermissionsBoundary"} & properties.keys(), name
    for role in roles:
        (trust,) = resources("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Action"], trust["Principal"]) == ("sts:AssumeRole", {"Service": "lambda.amazonaws.com"})


def test_a_policy_of_awss_is_had_only_where_there_is_a_reason() -> None:
    having = {name for name, role in resources("AWS::IAM::Role").items() if role.get("ManagedPolicyArns")}
    assert having == MANAGED.keys()


def test_only_what_has_no_name_yet_is_allowed_by_a_pattern() -> None:
    patterns = {
        resource["Fn::Sub"]
        for _, statement in every_statement()
        for resource in statement["Resource"]
        if isinstance(resource, dict) and "Fn::Sub" in resource
    }
    assert patterns == PATTERNS.keys()
    for pattern in patterns:
        fixed = pattern.removesuffix("*")
        assert "*" not in fixed, pattern
        assert "${" in fixed, f"{pattern} may be another stack's"


def test_every_other_resource_is_one_of_the_stack_or_a_parameter() -> None:
    known = template()["Resources"].keys() | {"KmsKeyArn"}
    for name, statement in every_statement():
        for resource in statement["Resource"]:
            match resource:
                case "*":
                    assert set(statement["Action"]) <= WITHOUT_RESOURCES, name
                case {"Ref": target}:
                    assert target in known, name
                case {"Fn::GetAtt": path}:
                    assert path.partition(".")[0] in known, name
                case _:
                    assert resource.keys() == {"Fn::Sub"}, name


@pytest.mark.parametrize("function", FUNCTION_NAMES)
def test_who_only_reads_a_log_cannot_write_it_and_who_writes_it_can_only_add(function: str) -> None:
    writes = allowed(function, on="LogTable") & LOG_WRITES
    assert writes <= ({"dynamodb:UpdateItem"} if function == "janitor" else {"dynamodb:PutItem"})
    if function in {"authorizer", "events", "projector", "stream"}:
        assert not writes


def test_no_function_may_change_what_it_runs_on() -> None:
    """Tables, queues' settings, keys, roles and functions are deployed, and changed by nobody else."""
    forbidden = re.compile(
        r":(Delete(Table|Queue|Bucket|Secret)|Update(Table|TimeToLive)|SetQueueAttributes|Put.*Policy)"
    )
    for name, statement in every_statement():
        for action in statement["Action"]:
            assert not forbidden.search(action), name
            assert not action.startswith(("cloudformation:", "lambda:", "apigateway:", "ec2:")), name
            if action.startswith("iam:"):
                assert action == "iam:PassRole", name


@pytest.mark.parametrize("function", FUNCTION_NAMES)
def test_a_function_writes_the_one_log_group_of_the_stack(function: str) -> None:
    logging = [one for one in statements(function) if any(action.startswith("logs:") for action in one["Action"])]
    (statement,) = logging
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == [{"Fn::GetAtt": "FunctionLogs.Arn"}]


@pytest.mark.parametrize("role", sorted(resources("AWS::IAM::Role").keys() - MANAGED.keys()))
def test_the_key_is_used_through_the_services_that_a_role_uses_and_no_others(role: str) -> None:
    own, through = set[str](), dict[str, set[str]]()
    for statement in role_statements(resources("AWS::IAM::Role")[role]):
        for action in statement["Action"]:
            service = action.partition(":")[0]
            if service != "kms":
                own |= {service} & SERVICES.keys()
                continue
            assert statement["Resource"] == [{"Ref": "KmsKeyArn"}]
            assert action in KMS
            for via in statement["Condition"]["StringEquals"]["kms:ViaService"]:
                through.setdefault(via["Fn::Sub"].partition(".")[0], set()).add(action)
    assert through.keys() == own
    for via, actions in through.items():
        assert "kms:Decrypt" in actions, via


@pytest.mark.parametrize("function", FUNCTION_NAMES)
def test_who_only_reads_something_can_only_decrypt_it(function: str) -> None:
    writing = {
        action.partition(":")[0]
        for statement in statements(function)
        for action in statement["Action"]
        if re.search(r":(Put|Update|Delete|BatchWrite|Send)", action) and not action.startswith("logs:")
    }
    for statement in statements(function):
        if set(statement["Action"]) & (KMS - {"kms:Decrypt"}):
            for via in statement["Condition"]["StringEquals"]["kms:ViaService"]:
                assert via["Fn::Sub"].partition(".")[0] in writing
