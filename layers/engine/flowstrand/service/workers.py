"""Workers say what they serve. Kept in the directory: it decides nothing that the log decides.

    {org}#queue#{queue}      {task kind}     some worker serves this kind from this queue

Beside them stand the worker itself (`service.presence`), its queues' names (`service.queue_controls`), and the definitions that
it registers (`service.definitions`). Rows are small and written blindly, so a registration repeated or half done is mended by the next.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory
from flowstrand.directory.scanning import every_item
from flowstrand.engine.ids import OrgId
from flowstrand.engine.names import is_kind, is_name
from flowstrand.errors import InvalidInput
from flowstrand.service import definitions
from flowstrand.service.container import Services
from flowstrand.service.definitions import Manifest
from flowstrand.service.presence import PresentWorker, WorkerState

_RANDOM_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a worker says of itself.

    Attributes:
        name: the program's, shared by its processes.
        queues: where it polls.
        version: of its code, as its operators name it.
        worker_id: one process's; made here if not given.
        tasks, workflows: what is to be known of kinds that it serves, beside their names.
    """

    name: str
    queues: tuple[str, ...]
    task_kinds: tuple[str, ...]
    workflow_kinds: tuple[str, ...] = ()
    worker_id: str | None = None
    version: str | None = None
    tasks: tuple[Manifest, ...] = ()
    workflows: tuple[Manifest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The answer to a worker.

    Attributes:
        missing_kinds: kinds that other workers serve from its queues and it does not; it may be sent none of them,
            but they wait for a worker that serves them.
        heartbeat_ms: how often to heartbeat while it works.
    """

    worker_id: str
    missing_kinds: tuple[str, ...]
    heartbeat_ms: int


def register(services: Services, org: OrgId, registration: Registration) -> Registered:
    """Remember a worker and the kinds it serves.

    Raises:
        InvalidInput: a name is not one, or a schema is not one (`INVALID_SCHEMA`); nothing is stored.
        StoreUnavailable: some of it may have been stored; register again.
    """
    _check(registration)
    worker_id = registration.worker_id or f"{registration.name}-{services.random_bytes(_RANDOM_BYTES).hex()}"
    tasks = _every(registration.task_kinds, registration.tasks, registration.queues[0])
    workflows = _every(registration.workflow_kinds, registration.workflows, None)
    task_kinds, workflow_kinds = tuple(sorted(tasks)), tuple(sorted(workflows))
    now_ms = services.clock.now_ms()
    services.presence.register(
        org,
        PresentWorker(
            worker_id=worker_id,
            name=registration.name,
            queues=registration.queues,
            task_kinds=task_kinds,
            workflow_kinds=workflow_kinds,
            state=WorkerState.RUNNING,
            registered_at_ms=now_ms,
            last_seen_at_ms=now_ms,
            version=registration.version,
        ),
    )
    for queue in registration.queues:
        services.queues.name(org, queue)
        for kind in task_kinds:
            services.directory.put(_queue(org, queue), kind, {"registeredAtMs": now_ms})
    definitions.add(services.directory, org, definitions.TASKS, tasks.values(), now_ms=now_ms)
    definitions.add(services.directory, org, definitions.WORKFLOWS, workflows.values(), now_ms=now_ms)
    served = (served_kinds(services.directory, org, queue) for queue in registration.queues)
    missing = frozenset[str]().union(*served) - set(task_kinds)
    return Registered(
        worker_id=worker_id,
        missing_kinds=tuple(sorted(missing)),
        heartbeat_ms=services.settings.heartbeat_ms,
    )


def served_kinds(directory: Directory, org: OrgId, queue: str) -> frozenset[str]:
    """Every task kind that some worker has registered for this queue."""
    return frozenset(item.key for item in every_item(directory, _queue(org, queue)))


def _check(registration: Registration) -> None:
    names = [registration.name, *registration.queues, registration.worker_id or registration.name]
    manifests = [*registration.tasks, *registration.workflows]
    names += [manifest.queue for manifest in manifests if manifest.queue is not None]
    kinds = [*registration.task_kinds, *registration.workflow_kinds, *(manifest.kind for manifest in manifests)]
    for bad in [*(name for name in names if not is_name(name)), *(kind for kind in kinds if not is_kind(kind))]:
        raise InvalidInput(f"{bad!r} is not a name")
    _check_schemas("/taskDefinitions", registration.tasks)
    _check_schemas("/workflowDefinitions", registration.workflows)


def _check_schemas(pointer: str, manifests: Collection[Manifest]) -> None:
    for at, manifest in enumerate(manifests):
        for name, schema in (("inputSchema", manifest.input_schema), ("outputSchema", manifest.output_schema)):
            if schema:
                from flowstrand.service import json_schema

                json_schema.require_usable(schema, f"{pointer}/{at}/{name}")


def _every(kinds: Collection[str], manifests: Collection[Manifest], queue: str | None) -> dict[str, Manifest]:
    """A manifest for every kind. Where its work waits is what it says itself, else where its worker polls."""
    said = {manifest.kind: manifest for manifest in manifests}
    every = {kind: said.get(kind, Manifest(kind=kind)) for kind in sorted({*kinds, *said})}
    return {kind: replace(manifest, queue=manifest.queue or queue) for kind, manifest in every.items()}


def _queue(org: OrgId, queue: str) -> str:
    return f"{org}#queue#{queue}"
