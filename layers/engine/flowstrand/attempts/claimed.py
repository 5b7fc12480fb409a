"""`ClaimedTask`: an attempt as the API hands it out."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ClaimedTask(BaseModel):
    """An attempt that is this worker's until its lease ends.

    Attributes:
        workflow_execution_id: whose task it is; None for a standalone one.
        heartbeat_ms: how often to renew it.
        non_retryable: names of error classes after which no further attempt is wanted.
        heartbeat_details: what an earlier attempt said with its last heartbeat.
        input_url: where the input is to be had, where `input` only stands for it.
        traceparent, tracestate: whose trace the attempt belongs to, if anybody's.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    task_execution_id: str
    workflow_execution_id: str | None = None
    kind: str
    input: Any
    attempt: int
    max_retries: int
    lease_token: str
    heartbeat_ms: int
    non_retryable: tuple[str, ...] = ()
    heartbeat_details: Any = None
    input_url: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
