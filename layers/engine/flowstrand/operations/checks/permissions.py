"""The functions' rights: that each may do what it is there for, and that none may do to a log what laws 1 and 2 forbid.

IAM itself is asked, by simulation, so that whatever has been attached to a role, or denied it, by whomever, counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from flowstrand.operations.checks.finding import Finding, Probe, error
from flowstrand.operations.place import Stack

_WRITERS = frozenset(
    {"ChannelsFunction", "ExecutionsFunction", "ResumerFunction", "TasksFunction", "WorkerFunction"}
)
_READERS = frozenset({"EventsFunction", "ProjectorFunction", "StreamFunction"})
_JANITOR = frozenset({"JanitorFunction"})
_NOBODY: frozenset[str] = frozenset()

ON_LOG: Mapping[str, frozenset[str]] = {
    "dynamodb:PutItem": _WRITERS,
    "dynamodb:Query": _WRITERS | _READERS | _JANITOR,
    "dynamodb:UpdateItem": _JANITOR,
    "dynamodb:DeleteItem": _NOBODY,
    "dynamodb:BatchWriteItem": _NOBODY,
}
"""Who may do what to the log's table, and nobody else may."""
NEEDED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "directory": {
        "dynamodb:GetItem": _WRITERS | _JANITOR | {"AuthorizerFunction", "ProjectorFunction"},
        "dynamodb:UpdateItem": _WRITERS | _JANITOR | {"ProjectorFunction"},
    },
    "payloads": {
        "s3:GetObject": _WRITERS | {"EventsFunction", "StreamFunction"},
        "s3:PutObject": _WRITERS,
    },
    "control queue": {
        "sqs:SendMessage": (_WRITERS | {"ProjectorFunction"}) - {"ChannelsFunction"},
        "sqs:ReceiveMessage": frozenset({"ResumerFunction"}),
    },
}
"""What else somebody must be allowed."""
_DEPLOY = "deploy the stack again with its own template, and see what else is attached to the role"


def probes(stack: Stack) -> Iterator[Probe]:
    """A look at each function that has anything to do with a log."""
    known = frozenset().union(*ON_LOG.values(), *NEEDED["directory"].values())
    for title, name in sorted(stack.names.functions.items()):
        if title in known:
            yield Probe(subject=f"{title}: its rights", look=partial(_rights, stack, title, name))


def _rights(stack: Stack, title: str, name: str) -> Iterator[Finding]:
    role = str(stack.clients.functions.get_function_configuration(FunctionName=name)["Role"])
    arns = _arns(stack)
    granted = _granted(stack, role, list(ON_LOG), arns["log"])
    for action, holders in ON_LOG.items():
        if title in holders and action not in granted:
            yield _lacks(title, action, "log")
        elif title not in holders and action in granted:
            message = f"it may {action} on the log's table, which it must not"
            yield error("PERMISSION_TOO_WIDE", title, message, _DEPLOY)
    for resource, rights in NEEDED.items():
        wanted = [action for action, holders in rights.items() if title in holders]
        if wanted and resource in arns:
            granted = _granted(stack, role, wanted, arns[resource])
            yield from (_lacks(title, action, resource) for action in wanted if action not in granted)


def _lacks(title: str, action: str, resource: str) -> Finding:
    return error("PERMISSION_MISSING", title, f"it may not {action} on the {resource}", _DEPLOY)


def _granted(stack: Stack, role: str, actions: list[str], arn: str) -> set[str]:
    answer = stack.clients.iam.simulate_principal_policy(
        PolicySourceArn=role, ActionNames=actions, ResourceArns=[arn]
    )
    return {
        str(each["EvalActionName"]) for each in answer["EvaluationResults"] if each["EvalDecision"] == "allowed"
    }


def _arns(stack: Stack) -> dict[str, str]:
    names, clients = stack.names, stack.clients
    log = clients.dynamodb.describe_table(TableName=names.log_table)["Table"]["TableArn"]
    found = {
        "log": log,
        "directory": clients.dynamodb.describe_table(TableName=names.directory_table)["Table"]["TableArn"],
        "payloads": f"arn:{log.split(':')[1]}:s3:::{names.payload_bucket}/payloads/org/value",
    }
    if names.control_queue_url is not None:
        attributes = clients.sqs.get_queue_attributes(
            QueueUrl=names.control_queue_url, AttributeNames=["QueueArn"]
        )
        found["control queue"] = attributes["Attributes"]["QueueArn"]
    return found
