"""`worker`: run the tasks that are deployed with the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from flowstrand.aws import composition
from flowstrand.aws.task_batch import run_batch
from flowstrand.aws.task_host import task_host
from flowstrand.aws.telemetry import observed


class Context(Protocol):
    """What is asked of Lambda's context."""

    @property
    def aws_request_id(self) -> str:
        """Names the invocation, also in its logs."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Until the function is killed."""
        ...


@observed("worker")
def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Run an SQS batch of the stack's own task queue. In the log, the worker is called after the invocation."""
    host = task_host(composition.services(), f"hosted-{context.aws_request_id}")
    return run_batch(host, event, context.get_remaining_time_in_millis)
