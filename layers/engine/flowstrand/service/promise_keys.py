"""Keys of promises: an author's own names for them, by which people outside can settle them.

A key is in the directory, written by the resumer when it dispatches the commit that created the promise. It stays after the
promise, so that a repeated call finds its answer, until another promise takes it.
"""

from __future__ import annotations

import logging

from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine import ids
from flowstrand.engine.ids import OrgId
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.container import Services

_log = logging.getLogger("flowstrand.resumer")


def find(services: Services, org: OrgId, key: str) -> str | None:
    """The id of the promise that has this key, or had it last."""
    item = services.directory.get(_partition(org), key) if key else None
    promise_id = item.data.get("promise") if item else None
    return promise_id if isinstance(promise_id, str) else None


def register(services: Services, org: OrgId, key: str, promise_id: str) -> None:
    """Let `key` stand for the promise, unless it stands for another that is still open: the first keeps it."""
    item = services.directory.get(_partition(org), key)
    holder = item.data.get("promise") if item else None
    if holder == promise_id:
        return
    if isinstance(holder, str) and _is_open(services, org, holder):
        _log.warning("a promise of %s cannot have its key: %s has it", promise_id, holder)
        return
    try:
        expected = item.version if item else 0
        services.directory.put(_partition(org), key, {"promise": promise_id}, expect=expected)
    except PreconditionFailed:
        _log.warning("a promise of %s cannot have its key: another has just taken it", promise_id)


def _is_open(services: Services, org: OrgId, promise_id: str) -> bool:
    execution, _, position = ids.owner_of(promise_id)
    tip = append.load(services, LogKey(org, execution))
    return tip is not None and not tip.state.closed and position in tip.state.promises


def _partition(org: OrgId) -> str:
    return f"promise-keys#{org}"
