"""Asking for tasks, child workflows and timers: the part of `WorkflowContext` that issues commands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from flowstrand.engine.schema import epoch_ms
from flowstrand.errors import InvalidDefinition
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk import names
from flowstrand.sdk.child_options import ChildKeywords, ChildOptions
from flowstrand.sdk.context_base import ContextBase
from flowstrand.sdk.definition import Definition
from flowstrand.sdk.duration import Duration, to_ms
from flowstrand.sdk.handles import Handle
from flowstrand.sdk.retry import RetryPolicy
from flowstrand.sdk.serde import Serde
from flowstrand.sdk.signature import OMITTED, Signature
from flowstrand.sdk.task_options import TaskKeywords, TaskOptions

if TYPE_CHECKING:
    from flowstrand.sdk.code_shapes import (
        AsyncTaskClass,
        AsyncTaskClassWithoutInput,
        TaskClass,
        TaskClassWithoutInput,
        WorkflowClass,
        WorkflowClassWithoutInput,
    )
    from flowstrand.sdk.task import TaskDefinition
    from flowstrand.sdk.workflow import WorkflowDefinition

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")

_SCHEMALESS = Serde()


class Scheduling(ContextBase):
    """`schedule`, `schedule_workflow`, `sleep` and their variants. Each issues its command at the call."""

    @overload
    def schedule(
        self,
        task: TaskDefinition[InputT, OutputT],
        input: InputT,
        **options: Unpack[TaskKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule(
        self,
        task: TaskDefinition[None, OutputT],
        **options: Unpack[TaskKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule(
        self,
        task: type[AsyncTaskClass[InputT, OutputT]],
        input: InputT,
        **options: Unpack[TaskKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule(
        self,
        task: type[AsyncTaskClassWithoutInput[OutputT]],
        **options: Unpack[TaskKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule(
        self,
        task: type[TaskClass[InputT, OutputT]],
        input: InputT,
        **options: Unpack[TaskKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule(
        self,
        task: type[TaskClassWithoutInput[OutputT]],
        **options: Unpack[TaskKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule(
        self,
        task: str,
        input: object = None,
        **options: Unpack[TaskKeywords],
    ) -> Handle[JsonValue]: ...
    def schedule(
        self,
        task: object,
        input: object = OMITTED,
        **options: Unpack[TaskKeywords],
    ) -> Handle[Any]:
        """Have a worker run `task`. Awaiting the handle gives its result.

        Args:
            task: the decorated task, or its name.
            input: what it is given; written to the log now.
            options: retry, timeout, start_to_close, heartbeat_timeout, queue, priority: see `TaskOptions`. What is not said
                here is as the task's declaration has it.

        Raises:
            NotSerializable: the input does not fit the task.
            InvalidDefinition: an option is out of range.
            TaskFailed, TaskTimeout, TaskCancelled: on awaiting.
        """
        kind, default_queue, signature = _target(task, "task")
        asked = TaskOptions(**options)
        declared = getattr(task, "options", None)
        terms = asked.over(declared) if isinstance(declared, TaskOptions) else asked
        future = self._driver.schedule_task(
            kind,
            signature.encode_input(input),
            queue=self._queue(asked.queue, default_queue),
            retry=(terms.retry or RetryPolicy()).engine(),
            terms=terms.terms(),
        )
        return Handle(self._driver, future, signature.decode_output)

    schedule_async = schedule
    """The same as `schedule`, for code that reads better when it says that it does not wait yet."""

    @overload
    def schedule_workflow(
        self,
        workflow: WorkflowDefinition[InputT, OutputT],
        input: InputT,
        **options: Unpack[ChildKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule_workflow(
        self,
        workflow: WorkflowDefinition[None, OutputT],
        **options: Unpack[ChildKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule_workflow(
        self,
        workflow: type[WorkflowClass[InputT, OutputT]],
        input: InputT,
        **options: Unpack[ChildKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule_workflow(
        self,
        workflow: type[WorkflowClassWithoutInput[OutputT]],
        **options: Unpack[ChildKeywords],
    ) -> Handle[OutputT]: ...
    @overload
    def schedule_workflow(
        self,
        workflow: str,
        input: object = None,
        **options: Unpack[ChildKeywords],
    ) -> Handle[JsonValue]: ...
    def schedule_workflow(
        self,
        workflow: object,
        input: object = OMITTED,
        **options: Unpack[ChildKeywords],
    ) -> Handle[Any]:
        """Run `workflow` as a child, an execution of its own. Awaiting the handle gives its output.

        Args:
            workflow: the decorated workflow, or its kind.
            input: what it is given; written to the log now.
            options: name, id, queue, timeout, parent_close_policy: see `ChildOptions`.

        Raises:
            NotSerializable: the input does not fit the workflow.
            InvalidDefinition: an option is out of range.
            ChildWorkflowFailed: on awaiting.
        """
        kind, default_queue, signature = _target(workflow, "workflow")
        asked = ChildOptions(**options)
        future = self._driver.start_child(
            kind,
            signature.encode_input(input),
            name=asked.name or kind,
            queue=self._queue(asked.queue, default_queue),
            child_id=asked.id,
            parent_close_policy=asked.parent_close_policy,
            timeout_ms=asked.timeout_ms,
        )
        return Handle(self._driver, future, signature.decode_output)

    schedule_workflow_async = schedule_workflow
    """The same as `schedule_workflow`, for code that reads better when it says that it does not wait yet."""

    def sleep(self, duration: Duration) -> Handle[None]:
        """A timer that fires `duration` (seconds or a timedelta) after now; `await ctx.sleep(60)`.

        Raises:
            InvalidDefinition: a negative or absurd duration.
            TimerCancelled: on awaiting, if its handle was cancelled.
        """
        return self._timer(self._driver.now_ms + to_ms(duration, "a sleep"))

    def sleep_until(self, moment: datetime) -> Handle[None]:
        """A timer that fires at `moment`, which must know its time zone; a past moment fires at once.

        Raises:
            InvalidDefinition: `moment` is naive.
            TimerCancelled: on awaiting, if its handle was cancelled.
        """
        if moment.tzinfo is None:
            raise InvalidDefinition("sleep_until needs an aware datetime, e.g. datetime(..., tzinfo=UTC)")
        return self._timer(epoch_ms(moment.isoformat()))

    def _timer(self, fire_at_ms: int) -> Handle[None]:
        future = self._driver.start_timer(fire_at_ms)
        return Handle(self._driver, future, lambda _: None)

    def _queue(self, asked: str | None, default: str | None) -> str:
        return names.queue(asked) if asked is not None else default or self._driver.queue


def _target(target: object, noun: str) -> tuple[str, str | None, Signature]:
    """The kind, default queue and signature of something to schedule, given by reference or by name."""
    if isinstance(target, str):
        what = f"{noun} {target!r}"
        anything = Signature(what=what, input=_SCHEMALESS, default=None, output=_SCHEMALESS)
        return names.kind(target, f"a {noun}"), None, anything
    if not isinstance(target, Definition) or noun != target.NOUN:
        raise InvalidDefinition(f"{target!r} is not a {noun}: decorate it with @{noun}, or give a name")
    return target.kind, target.queue, target.signature
