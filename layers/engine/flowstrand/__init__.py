"""Flowstrand: durable workflows, one ordered event log per execution.

    from flowstrand import TaskContext, WorkflowContext, task, workflow

The names below are what authors use. They are imported when first asked for, so that a Lambda handler that imports one
module of this package does not load all of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowstrand.engine.events.vocabulary import ParentClosePolicy
    from flowstrand.errors import (
        AuthorError,
        BranchCancelled,
        ChildWorkflowFailed,
        CodecFailed,
        DeadContext,
        DeterminismViolation,
        FlowstrandError,
        ForeignAwaitable,
        InvalidDefinition,
        MapFailed,
        NonRetryableError,
        NotSerializable,
        OperationFailed,
        PromiseRejected,
        PromiseTimeout,
        TaskCancelled,
        TaskFailed,
        TaskTimeout,
        TimedOut,
        TimerCancelled,
        TooManyOpenOperations,
        WorkflowCancelled,
        WorkflowFailed,
        WorkflowTimeout,
    )
    from flowstrand.jsonvalue import JsonValue
    from flowstrand.sdk.app import App
    from flowstrand.sdk.compression import Compression
    from flowstrand.sdk.handles import Handle
    from flowstrand.sdk.mapping import MapEnd, MapOutcome
    from flowstrand.sdk.payload_codecs import PayloadCodec, PayloadCodecs
    from flowstrand.sdk.retry import RetryPolicy
    from flowstrand.sdk.task import task
    from flowstrand.sdk.task_context import TaskContext
    from flowstrand.sdk.workflow import workflow
    from flowstrand.sdk.workflow_context import WorkflowContext

__all__ = [
    "App",
    "AuthorError",
    "BranchCancelled",
    "ChildWorkflowFailed",
    "CodecFailed",
    "Compression",
    "DeadContext",
    "DeterminismViolation",
    "FlowstrandError",
    "ForeignAwaitable",
    "Handle",
    "InvalidDefinition",
    "JsonValue",
    "MapEnd",
    "MapFailed",
    "MapOutcome",
    "NonRetryableError",
    "NotSerializable",
    "OperationFailed",
    "ParentClosePolicy",
    "PayloadCodec",
    "PayloadCodecs",
    "PromiseRejected",
    "PromiseTimeout",
    "RetryPolicy",
    "TaskCancelled",
    "TaskContext",
    "TaskFailed",
    "TaskTimeout",
    "TimedOut",
    "TimerCancelled",
    "TooManyOpenOperations",
    "WorkflowCancelled",
    "WorkflowContext",
    "WorkflowFailed",
    "WorkflowTimeout",
    "task",
    "workflow",
]

_MODULES = {
    "App": "sdk.app",
    "Compression": "sdk.compression",
    "Handle": "sdk.handles",
    "JsonValue": "jsonvalue",
    "MapEnd": "sdk.mapping",
    "MapOutcome": "sdk.mapping",
    "ParentClosePolicy": "engine.events.vocabulary",
    "PayloadCodec": "sdk.payload_codecs",
    "PayloadCodecs": "sdk.payload_codecs",
    "RetryPolicy": "sdk.retry",
    "TaskContext": "sdk.task_context",
    "WorkflowContext": "sdk.workflow_context",
    "task": "sdk.task",
    "workflow": "sdk.workflow",
}
"""Where each public name lives; the others are errors."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'flowstrand' has no attribute {name!r}")
    value: object = getattr(import_module(f"flowstrand.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
