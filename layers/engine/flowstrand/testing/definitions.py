"""`Definitions`: the workflows and tasks of an environment, and what stands in for tasks."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import cached_property
from typing import Any

from flowstrand.engine.replay.program import Program
from flowstrand.errors import ConfigurationError
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.app import App, Task, Workflow
from flowstrand.sdk.definition import Definition
from flowstrand.sdk.serde import Serde
from flowstrand.sdk.signature import OMITTED, Signature
from flowstrand.sdk.task import TaskDefinition
from flowstrand.sdk.task_context import TaskContext


class Definitions:
    """The code of an environment: its `service.container.Programs`, and its tasks.

    Attributes:
        payloads: how their values are encoded.
    """

    def __init__(
        self, *, app: App | str | None, workflows: Iterable[Workflow | type], tasks: Iterable[Task | type]
    ) -> None:
        """`app` is an app, or how `--app` would name it; `workflows` and `tasks` are added to it.

        Raises:
            ConfigurationError: there is no such app.
            InvalidDefinition: something is declared wrongly.
        """
        base = App.load(app) if isinstance(app, str) else app
        added = App(workflows=workflows, tasks=tasks, codec=base.payloads if base is not None else None)
        self._apps = [added, base] if base is not None else [added]
        self.payloads = added.payloads
        self._fakes: dict[str, Task] = {}

    def program(self, kind: str) -> Program:
        """The workflow of this kind, as the engine runs it.

        Raises:
            ConfigurationError: the environment was not given it.
        """
        found = next((found for app in self._apps if (found := app.program(kind)) is not None), None)
        if found is None:
            raise ConfigurationError(f"this environment has no workflow {kind!r}: give it in `workflows=[…]`")
        return found

    def kinds(self) -> Collection[str]:
        """Every workflow kind."""
        return {kind for app in self._apps for kind in app.kinds()}

    def task_kinds(self) -> Collection[str]:
        """Every kind of task, fakes included."""
        return {*self._fakes, *(kind for app in self._apps for kind in app.task_kinds())}

    def task(self, kind: str) -> Task:
        """What runs for tasks of this kind: its fake, or the task itself.

        Raises:
            ConfigurationError: the environment was given neither.
        """
        found = self._fakes.get(kind) or self._task(kind)
        if found is None:
            raise ConfigurationError(
                f"this environment has no task {kind!r}: give it in `tasks=[…]`, or fake it with `env.fake({kind!r}, …)`"
            )
        return found

    def fake(self, task: object, function: Callable[..., object]) -> None:
        """From now on `function` runs for `task`."""
        kind = kind_of(task)
        self._fakes[kind] = FakeTask(
            kind, function, task if isinstance(task, TaskDefinition) else self._task(kind)
        )

    def unfake(self, task: object) -> None:
        """From now on `task` itself runs again."""
        self._fakes.pop(kind_of(task), None)

    def _task(self, kind: str) -> Task | None:
        return next((found for app in self._apps if (found := app.task(kind)) is not None), None)


class FakeTask(TaskDefinition[Any, Any]):
    """A function in a task's place. What goes in and comes out is of the task's own types."""

    def __init__(self, kind: str, function: Callable[..., object], faked: Task | None) -> None:
        super().__init__(_placeholder, name=kind)
        self._function = function
        self._faked = faked

    @cached_property
    def signature(self) -> Signature:
        """The faked task's; plain JSON where it is known by name alone."""
        if self._faked is not None:
            return self._faked.signature
        return Signature(what=str(self), input=Serde(), default=OMITTED, output=Serde())

    def bound(self) -> Callable[..., Awaitable[object]]:
        """Calls the function with as many of the context and the input as it takes, on the event loop."""
        function = self._function.bound() if isinstance(self._function, Definition) else self._function

        async def run(ctx: TaskContext, *inputs: object) -> object:
            result = function(*(ctx, *inputs)[: _arity(function)])
            return await result if inspect.isawaitable(result) else result

        return run


class FailingTask(TaskDefinition[Any, Any]):
    """Raises."""

    def __init__(self, kind: str, error: BaseException) -> None:
        super().__init__(_placeholder, name=kind)
        self._error = error

    async def execute(self, ctx: TaskContext, input: JsonValue, *, executor: object = None) -> JsonValue:  # noqa: ARG002 - it fails whatever it is given
        """See `TaskDefinition.execute`."""
        raise self._error.with_traceback(None)


def kind_of(definition: object) -> str:
    """The kind that a definition, or a name, stands for.

    Raises:
        ConfigurationError: it is neither.
    """
    if isinstance(definition, Definition):
        return definition.kind
    if isinstance(definition, str):
        return definition
    raise ConfigurationError(f"neither a decorated workflow or task nor the name of one: {definition!r}")


async def _placeholder(ctx: TaskContext) -> None:
    """Never runs: its place is taken."""


def _arity(function: Callable[..., object]) -> int | None:
    """How many positional arguments `function` takes; None for any number, as mocks do."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return sum(
        parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )
