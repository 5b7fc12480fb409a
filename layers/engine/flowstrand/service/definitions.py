"""What an org can start and schedule: what the deployed app holds, and what workers have registered.

{org}#workflow-definitions   {kind}    the newest registration of one kind of workflow
{org}#task-definitions       {kind}    the same of tasks
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, cast, runtime_checkable

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item
from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.container import Services

WORKFLOWS, TASKS = "workflow-definitions", "task-definitions"
"""The two sorts of definitions, as their partitions are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a definition says of itself. All but its kind may be unknown.

    Attributes:
        content_hash: differs where the code does.
        input_schema, output_schema: JSON Schemas.
        queue: where its work waits unless the caller says otherwise.
        description: one line.
    """

    kind: str
    content_hash: str | None = None
    input_schema: JsonObject | None = None
    output_schema: JsonObject | None = None
    queue: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A definition as the org has it.

    Attributes:
        is_deployed: it is part of the stack's own app.
        registered_at_ms: when a worker last said that it serves it; None for what is only deployed.
    """

    manifest: Manifest
    is_deployed: bool
    registered_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionPage:
    """Definitions by kind. `next_after` is the last kind if there are more, else None."""

    definitions: tuple[Known, ...]
    next_after: str | None


@runtime_checkable
class HasManifest(Protocol):
    """A program that can say what it takes and gives, as those of the SDK can."""

    def manifest(self) -> JsonObject:
        """`{kind, contentHash?, inputSchema?, outputSchema?, queue?, description?}`."""
        ...


@runtime_checkable
class HasTasks(Protocol):
    """Programs that come with tasks, as those of an app do."""

    def task_kinds(self) -> Collection[str]:
        """Every kind of task."""
        ...


def find_workflow(services: Services, org: OrgId, kind: str) -> Manifest | None:
    """What is known of a workflow; None if no execution of `kind` may be started. What is deployed goes before what is registered.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    if kind in services.programs.kinds():
        return _deployed(services, kind).manifest
    item = services.directory.get(_partition(org, WORKFLOWS), kind)
    return None if item is None else _registered(item).manifest


def find_task(services: Services, org: OrgId, kind: str) -> Manifest | None:
    """What is known of a task; None if no standalone one of `kind` may be started: no worker serves it, and none is deployed.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    item = services.directory.get(_partition(org, TASKS), kind)
    if item is not None:
        return _registered(item).manifest
    programs: object = services.programs
    return Manifest(kind=kind) if isinstance(programs, HasTasks) and kind in programs.task_kinds() else None


def add(directory: Directory, org: OrgId, sort: str, manifests: Iterable[Manifest], *, now_ms: int) -> None:
    """Remember definitions. Repeating it changes nothing but a time; a kind alone takes nothing from what is known.

    Args:
        sort: `WORKFLOWS` or `TASKS`.
    """
    partition = _partition(org, sort)
    for manifest in manifests:
        says_nothing = manifest == Manifest(kind=manifest.kind, queue=manifest.queue)
        if says_nothing and directory.get(partition, manifest.kind) is not None:
            continue
        directory.put(partition, manifest.kind, {**to_json(manifest), "registeredAtMs": now_ms})


def workflows(services: Services, org: OrgId, *, after: str = "", limit: int = 50) -> DefinitionPage:
    """Workflows with a kind beyond `after`: those of this process's app, and those that workers have registered.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    deployed = {kind: _deployed(services, kind) for kind in services.programs.kinds() if kind > after}
    return _page(services.directory, org, WORKFLOWS, deployed, after=after, limit=limit)


def tasks(services: Services, org: OrgId, *, after: str = "", limit: int = 50) -> DefinitionPage:
    """Tasks with a kind beyond `after` that workers have registered.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    return _page(services.directory, org, TASKS, {}, after=after, limit=limit)


def to_json(manifest: Manifest) -> JsonObject:
    """As it is stored and sent, without what is unknown."""
    fields: dict[str, JsonValue] = {
        "kind": manifest.kind,
        "contentHash": manifest.content_hash,
        "inputSchema": manifest.input_schema,
        "outputSchema": manifest.output_schema,
        "queue": manifest.queue,
        "description": manifest.description,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _page(
    directory: Directory, org: OrgId, sort: str, deployed: Mapping[str, Known], *, after: str, limit: int
) -> DefinitionPage:
    registered = [
        _registered(item) for item in directory.scan(_partition(org, sort), after=after, limit=limit + 1)
    ]
    found = {known.manifest.kind: known for known in registered} | dict(deployed)
    kinds = sorted(found)
    return DefinitionPage(
        definitions=tuple(found[kind] for kind in kinds[:limit]),
        next_after=kinds[limit - 1] if len(kinds) > limit else None,
    )


def _deployed(services: Services, kind: str) -> Known:
    program: object = services.programs.program(kind)
    stated = program.manifest() if isinstance(program, HasManifest) else {}
    return Known(manifest=_of_json({**stated, "kind": kind}), is_deployed=True)


def _registered(item: Item) -> Known:
    at_ms = cast(int, item.data["registeredAtMs"])
    return Known(manifest=_of_json({**item.data, "kind": item.key}), is_deployed=False, registered_at_ms=at_ms)


def _of_json(data: JsonObject) -> Manifest:
    stated: dict[str, Any] = data
    return Manifest(
        kind=stated["kind"],
        content_hash=stated.get("contentHash"),
        input_schema=stated.get("inputSchema"),
        output_schema=stated.get("outputSchema"),
        queue=stated.get("queue"),
        description=stated.get("description"),
    )


def _partition(org: OrgId, sort: str) -> str:
    return f"{org}#{sort}"
