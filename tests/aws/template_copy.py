"""The copy of `template.yaml` that a target is given: what differs from the original, each difference with its reason.

The fewer there are, the more a run says about the template. `scripts/e2e` prints them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.template import template

APP = "aws_scenarios"
WORKFLOWS = "tests/aws/workflows"
_BATCHED = {"sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}


@dataclass(slots=True, kw_only=True)
class TemplateCopy:
    """A template and what was changed in it.

    Attributes:
        document: the whole template, as CloudFormation reads it.
        changes: a sentence for each change.
    """

    document: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(template()))
    changes: list[str] = field(default_factory=list)

    @property
    def resources(self) -> dict[str, Any]:
        """The resources, by logical id."""
        resources: dict[str, Any] = self.document["Resources"]
        return resources

    @property
    def runtime(self) -> str:
        """That of the functions."""
        runtime: str = self.document["Globals"]["Function"]["Runtime"]
        return runtime

    def serve_scenarios(self) -> None:
        """Deploy the scenarios' workflows in place of the examples."""
        self.resources["WorkflowsLayer"]["Properties"]["ContentUri"] = WORKFLOWS
        self.document["Parameters"]["App"]["Default"] = APP
        self.changes.append(f"the workflows layer is {WORKFLOWS}, and App is {APP}")

    def build_for(self, *, architecture: str, runtime: str) -> None:
        """Have functions and layers built for this machine, where functions run as its processes."""
        parameter = self.document["Parameters"]["Architecture"]
        if architecture != parameter["Default"]:
            self.changes.append(f"Architecture is {architecture}: it is this machine's")
            parameter["Default"] = architecture
        if runtime != self.runtime:
            self.changes.append(f"the runtime is {runtime} instead of {self.runtime}: it is this machine's")
            self.document = _replaced(self.document, self.runtime, runtime)

    def leave_out_metric_math(self) -> None:
        """Leave out alarms on expressions."""
        for name, resource in list(self.resources.items()):
            if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]:
                del self.resources[name]
                self.changes.append(f"{name} is left out: the emulator knows no metric math")

    def use_numbers(self) -> None:
        """Give event sources the number itself that a parameter stands for."""
        default = int(self.document["Parameters"]["HostedTasksAtOnce"]["Default"])
        self.resources["HostedTasks"]["Properties"]["ScalingConfig"]["MaximumConcurrency"] = default
        self.changes.append(
            f"HostedTasks' MaximumConcurrency is {default} instead of the parameter: the emulator takes that for text, and"
            " stops polling every queue"
        )

    def buffer_responses(self) -> None:
        """Have responses of the stream function collected before they are sent on."""
        for event in self.resources["StreamFunction"]["Properties"]["Events"].values():
            for setting in ("ResponseTransferMode", "TimeoutInMillis"):
                del event["Properties"][setting]
        self.changes.append(
            "no route streams its response: the emulator cannot, and finds no function for one that should"
        )

    def require_no_usage_key(self) -> None:
        """Let routes be reached without the usage key that the authorizer names."""
        (api,) = (one for one in self.resources.values() if one["Type"] == "AWS::Serverless::Api")
        del api["Properties"]["Auth"]["ApiKeyRequired"]
        self.changes.append(
            "no route requires a usage key: the emulator looks for it in the header x-api-key, never in the authorizer's answer"
        )

    def name_secrets(self) -> None:
        """Refer to secrets by their ARN."""
        for name, resource in self.resources.items():
            if resource["Type"] == "AWS::SecretsManager::Secret":
                self.document = _replaced(self.document, {"Ref": name}, {"Fn::GetAtt": [name, "Id"]})
        self.changes.append(
            "secrets are referred to by their Id: the emulator's Ref is a name, where AWS's is the ARN"
        )

    def name_batches(self) -> None:
        """Allow what a policy allows of single messages of batches too, as SQS does."""
        for statement in statements_of(self.resources):
            _add_batches(statement)
        self.changes.append(
            "policies name SQS's batch actions: the emulator knows no rights that cover them, SQS has no others"
        )


def statements_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every statement of every policy in there."""
    match value:
        case {"Effect": _, "Action": _}:
            yield value
        case Mapping():
            for member in value.values():
                yield from statements_of(member)
        case list():
            for member in value:
                yield from statements_of(member)
        case _:
            pass


def _add_batches(statement: dict[str, Any]) -> None:
    actions = statement["Action"]
    listed = actions if isinstance(actions, list) else [actions]
    batches = [f"{action}Batch" for action in listed if action in _BATCHED]
    if batches:
        statement["Action"] = [*listed, *batches]


def _replaced(value: Any, old: object, new: object) -> Any:
    """The same data with something else in every place that holds `old`."""
    match value:
        case _ if value == old:
            return new
        case Mapping():
            return {key: _replaced(member, old, new) for key, member in value.items()}
        case list():
            return [_replaced(member, old, new) for member in value]
        case _:
            return value
