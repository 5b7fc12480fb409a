"""A deployed stack as its operators see it: outputs, dead letters, logs; and keys for those who test it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3

from flowstrand.directory.dynamodb import DynamoDirectory
from flowstrand.engine.ids import OrgId
from flowstrand.operations.usage_plans import UsagePlans
from flowstrand.service import keys
from flowstrand.service.callers import usage_keys
from tests.aws.tools import ROOT

_LIMITED = 8
_WIDTH = 400
_COMMAND_S = 120


class Deployed:
    """One stack, at an endpoint or in the account that the environment's credentials open."""

    def __init__(self, name: str, endpoint: str | None, environment: Mapping[str, str]) -> None:
        """`environment`: what AWS's clients read, credentials and region; what the process has is not overridden by it."""
        self.name, self.endpoint = name, endpoint
        self._environment = {**environment, **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})}
        self._session = boto3.Session(
            aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
            region_name=environment.get("AWS_DEFAULT_REGION"),
        )
        [stack] = self._client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    @property
    def url(self) -> str:
        """What clients take as FLOWSTRAND_URL: the stack's own output, or the same at the emulator's one address."""
        url = str(self.outputs["ApiUrl"])
        if self.endpoint is None:
            return url
        parts = urlsplit(url)
        return f"{self.endpoint}/restapis/{parts.netloc.partition('.')[0]}{parts.path}/_user_request_"

    def create_key(self, org: str) -> str:
        """As an operator makes one."""
        return self._command("keys", "create", "--org", org).strip()

    def revoke_keys(self, org: str) -> None:
        """Leave none behind."""
        directory = DynamoDirectory(self._client("dynamodb"), self.outputs["DirectoryTableName"])
        for known in list(keys.every(directory, OrgId(org))):
            keys.revoke(directory, OrgId(org), known.key_id)

    def enroll(self, org: str) -> str:
        """Have an org counted by itself, as an operator has it; returns the id of its usage key."""
        key_id = str(json.loads(self._command("usage", "enroll", org, "--json"))["keyId"])
        planned = UsagePlans(self._client("apigateway"), self._physical("Api")).planned_keys()
        if not {key_id, self._physical("SharedUsageKey")} <= planned:
            raise AssertionError(f"of the keys {key_id} and that of the stack, not both are in a plan: {planned}")
        return key_id

    def disenroll(self, org: str, key_id: str) -> None:
        """Leave none behind, at once: nobody uses it any more."""
        usage_keys.forget(DynamoDirectory(self._client("dynamodb"), self.outputs["DirectoryTableName"]), org)
        UsagePlans(self._client("apigateway"), self._physical("Api")).delete_key(key_id)

    def _command(self, *words: str) -> str:
        """What a command of `flowstrand` prints about this stack, which no variable of this process can make another."""
        done = subprocess.run(
            [sys.executable, "-m", "flowstrand.cli", *words, "--stack", self.name],
            cwd=ROOT,
            env={**_without_places(os.environ), **self._environment},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            timeout=_COMMAND_S,
        )
        return done.stdout

    def limit_bursts(self) -> str:
        """Let few requests run at a time, where each is a process on this machine; what was changed."""
        function = self._physical("ExecutionsFunction")
        self._client("lambda").put_function_concurrency(
            FunctionName=function, ReservedConcurrentExecutions=_LIMITED
        )
        return (
            f"at most {_LIMITED} of ExecutionsFunction run at once, each being a process here; who is too many is told 429, and"
            " asks again"
        )

    def dead_letters(self) -> dict[str, int]:
        """How many messages were given up, by queue; those that have any."""
        sqs, found = self._client("sqs"), {}
        for output, url in self.outputs.items():
            if output.endswith("DeadLettersUrl"):
                attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
                found[output] = int(attributes["Attributes"]["ApproximateNumberOfMessages"])
        return {output: count for output, count in found.items() if count}

    def log_lines(self, pattern: str) -> Iterator[str]:
        """What functions have logged that a regular expression is found in."""
        group = self._physical("FunctionLogs")
        for page in self._client("logs").get_paginator("filter_log_events").paginate(logGroupName=group):
            yield from (event["message"] for event in page["events"] if re.search(pattern, event["message"]))

    def _physical(self, logical_id: str) -> str:
        found = self._client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def _client(self, service: str) -> Any:
        # boto3-stubs has a type for each service by its literal name, and this is about several.
        return self._session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]


def _without_places(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what names another server or stack than the one that is meant."""
    return {name: value for name, value in environment.items() if not name.startswith("FLOWSTRAND_")}


def summary(line: str) -> str:
    """What a line of a function's log says, without its stack."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line[:_WIDTH]
    reason = str(entry.get("exception", "")).rpartition("\n")[2]
    told = [entry.get("service"), entry.get("level"), entry.get("message"), reason]
    return " ".join(str(part) for part in told if part)[:_WIDTH]
