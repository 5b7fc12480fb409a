"""Which workflows an org can start: those of the deployed app, and those that a worker has registered."""

from __future__ import annotations

from collections.abc import Collection

from flowstrand.directory.port import Directory
from flowstrand.engine.ids import OrgId
from flowstrand.service.container import Services


def is_known_workflow(services: Services, org: OrgId, kind: str) -> bool:
    """Whether an execution of `kind` may be started.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    if kind in services.programs.kinds():
        return True
    return services.directory.get(_partition(org), kind) is not None


def add_workflows(directory: Directory, org: OrgId, kinds: Collection[str], *, now_ms: int) -> None:
    """Remember that workflows of these kinds exist. Repeating it changes nothing but a time."""
    for kind in kinds:
        directory.put(_partition(org), kind, {"registeredAtMs": now_ms})


def _partition(org: OrgId) -> str:
    return f"{org}#workflow-definitions"
