"""`App`: the workflows and tasks that one process serves, and how `--app` finds them."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError, InvalidDefinition
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.definition import Definition
from flowstrand.sdk.modules import load_module
from flowstrand.sdk.payload_codecs import Codec, PayloadCodecs
from flowstrand.sdk.task import TaskDefinition
from flowstrand.sdk.workflow import WorkflowDefinition

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver
    from flowstrand.engine.replay.program import Program

Workflow = WorkflowDefinition[Any, Any]
Task = TaskDefinition[Any, Any]
DefinitionT = TypeVar("DefinitionT", bound=Definition[Any, Any])
"""A decorated class is a definition too, though type checkers may take it for the class: see `code_shapes`."""


@dataclass(frozen=True, slots=True)
class EncodedProgram:
    """A workflow whose values go through codecs."""

    workflow: Workflow
    wire: PayloadCodecs

    @property
    def kind(self) -> str:
        """The name that executions are started by."""
        return self.workflow.kind

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        """See `WorkflowDefinition.begin`."""
        return self.workflow.begin(driver, input)

    def manifest(self) -> JsonObject:
        """See `Definition.manifest`. The schemas are those of plain values."""
        return self.workflow.manifest()


class App:
    """A set of definitions, by kind; what `service.container.Programs` asks of the code a process hosts.

    Attributes:
        payloads: how the values of its workflows and tasks are encoded.
    """

    def __init__(
        self,
        *,
        workflows: Iterable[Workflow | type] = (),
        tasks: Iterable[Task | type] = (),
        codec: Codec = None,
    ) -> None:
        """Check every definition, so that a bad annotation is found at start-up rather than in an execution.

        Args:
            codec: what values are encoded with, such as `Compression()`; whoever starts these workflows needs the same.

        Raises:
            InvalidDefinition: a definition is wrong, is not of its list's sort, or two have the same kind.
            ConfigurationError: the codecs do not go together.
        """
        self.payloads = PayloadCodecs.of(codec)
        self._workflows = _by_kind(workflows, WorkflowDefinition)
        self._tasks = _by_kind(tasks, TaskDefinition)

    @classmethod
    def load(cls, spec: str) -> App:
        """The app that `spec` names: `FILE.py`, `FILE.py:attr`, `package.module` or `package.module:attr`.

        `attr` is an `App`, a workflow or a task. Without it, the app is every workflow and task in the module, those of its
        `App` objects included. A file's directory, and for a module the current one, are importable afterwards.

        Raises:
            ConfigurationError: there is no such file, module or attribute, or nothing in it.
            InvalidDefinition: what is there is declared wrongly.
        """
        target, _, attribute = spec.partition(":")
        module = load_module(target)
        found = [_attribute(module, attribute, spec)] if attribute else list(vars(module).values())
        if len(found) == 1 and isinstance(found[0], App):
            return found[0]
        app = _collect(found)
        if not app.kinds() and not app.task_kinds():
            raise ConfigurationError(f"{spec!r} holds no @workflow and no @task")
        return app

    def workflow(self, kind: str) -> Workflow | None:
        """The workflow of this kind, if there is one."""
        return self._workflows.get(kind)

    def program(self, kind: str) -> Program | None:
        """The workflow of this kind, as the engine runs it for this app."""
        definition = self._workflows.get(kind)
        return (
            definition
            if definition is None or self.payloads.is_empty
            else EncodedProgram(definition, self.payloads)
        )

    def task(self, kind: str) -> Task | None:
        """The task of this kind, if there is one."""
        return self._tasks.get(kind)

    def kinds(self) -> Sequence[str]:
        """Every workflow kind, sorted."""
        return sorted(self._workflows)

    def task_kinds(self) -> Sequence[str]:
        """Every task kind, sorted."""
        return sorted(self._tasks)

    def manifest(self) -> JsonObject:
        """All that it serves: `{"workflows": [...], "tasks": [...]}`, each by kind; see `Definition.manifest`."""
        return {
            "workflows": [self._workflows[kind].manifest() for kind in self.kinds()],
            "tasks": [self._tasks[kind].manifest() for kind in self.task_kinds()],
        }


def _by_kind(definitions: Iterable[object], sort: type[DefinitionT]) -> dict[str, DefinitionT]:
    found: dict[str, DefinitionT] = {}
    for definition in definitions:
        if not isinstance(definition, sort):
            raise InvalidDefinition(f"{definition!r} is not a {sort.NOUN}: decorate it with @{sort.NOUN}")
        if found.setdefault(definition.kind, definition) is not definition:
            raise InvalidDefinition(f"two definitions are called {definition}")
        definition.check()
    return found


def _collect(objects: Iterable[object]) -> App:
    workflows: list[Workflow] = []
    tasks: list[Task] = []
    codecs: list[PayloadCodecs] = []
    for found in objects:
        match found:
            case App():
                codecs.append(found.payloads)
                workflows.extend(found._workflows.values())  # noqa: SLF001 - the same class
                tasks.extend(found._tasks.values())  # noqa: SLF001 - the same class
            case WorkflowDefinition():
                workflows.append(found)
            case TaskDefinition():
                tasks.append(found)
            case _:
                pass
    return App(workflows=workflows, tasks=tasks, codec=_the_one(codecs))


def _the_one(codecs: Iterable[PayloadCodecs]) -> PayloadCodecs | None:
    """What all apps of a module encode with; there is no telling which of two a lone definition would need."""
    distinct = {id(codec): codec for codec in codecs if not codec.is_empty}
    if len(distinct) > 1:
        raise ConfigurationError("the module's apps have different payload codecs; name one app, as in module:app")
    return next(iter(distinct.values()), None)


def _attribute(module: ModuleType, name: str, spec: str) -> object:
    found = getattr(module, name, None)
    if not isinstance(found, App | Definition):
        raise ConfigurationError(f"{spec!r} is not an App, a workflow or a task")
    return found
