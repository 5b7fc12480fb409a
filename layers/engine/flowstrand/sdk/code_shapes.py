"""The shapes that author classes may have, for type checkers.

A decorated class is a `TaskDefinition` or `WorkflowDefinition` when the program runs. Type checkers that ignore what class
decorators return (mypy does) see the class; so the decorators say that they return it, and whatever takes a definition also
takes a class of one of these shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from flowstrand.sdk.task_context import TaskContext
    from flowstrand.sdk.workflow_context import WorkflowContext

InputT_contra = TypeVar("InputT_contra", contravariant=True)
OutputT_co = TypeVar("OutputT_co", covariant=True)


class AsyncTaskClass(Protocol[InputT_contra, OutputT_co]):
    """`async def run(self, ctx, input)`."""

    def run(self, ctx: TaskContext, input: InputT_contra, /) -> Coroutine[Any, Any, OutputT_co]:
        """One attempt."""
        ...


class TaskClass(Protocol[InputT_contra, OutputT_co]):
    """`def run(self, ctx, input)`."""

    def run(self, ctx: TaskContext, input: InputT_contra, /) -> OutputT_co:
        """One attempt."""
        ...


class AsyncTaskClassWithoutInput(Protocol[OutputT_co]):
    """`async def run(self, ctx)`."""

    def run(self, ctx: TaskContext, /) -> Coroutine[Any, Any, OutputT_co]:
        """One attempt."""
        ...


class TaskClassWithoutInput(Protocol[OutputT_co]):
    """`def run(self, ctx)`."""

    def run(self, ctx: TaskContext, /) -> OutputT_co:
        """One attempt."""
        ...


class WorkflowClass(Protocol[InputT_contra, OutputT_co]):
    """`async def run(self, ctx, input)`."""

    def run(self, ctx: WorkflowContext, input: InputT_contra, /) -> Coroutine[Any, Any, OutputT_co]:
        """One execution."""
        ...


class WorkflowClassWithoutInput(Protocol[OutputT_co]):
    """`async def run(self, ctx)`."""

    def run(self, ctx: WorkflowContext, /) -> Coroutine[Any, Any, OutputT_co]:
        """One execution."""
        ...


class HasRun(Protocol):
    """Any class that can be decorated."""

    @property
    def run(self) -> Callable[..., Any]:
        """What is called with a context and the input."""
        ...
