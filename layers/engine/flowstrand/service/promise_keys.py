"""Keys of promises: names of authors' own, by which clients settle promises whose ids they do not know.

A directory row per key, written once the promise is in its log. It finds a promise and decides nothing: whether that is
still open, its log says. It stays when the promise is settled, so that a repetition finds its answer, and gives way to the
next promise of the same key.
"""

from __future__ import annotations

from flowstrand.directory.port import Item, PreconditionFailed
from flowstrand.engine import ids
from flowstrand.engine.ids import OrgId
from flowstrand.engine.state import OpenPromise
from flowstrand.errors import StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.container import Services


def find(services: Services, org: OrgId, key: str) -> str | None:
    """The id of the promise that `key` names, or None."""
    item = services.directory.get(_partition(org), key)
    return None if item is None else _promise_of(item)


def publish(services: Services, org: OrgId, promise: OpenPromise) -> None:
    """Let `promise` be found by its key, unless another open promise has it: then that one keeps it.

    Raises:
        StoreUnavailable: somebody else wrote the row at the same time; publish again.
    """
    if promise.key is None:
        return
    item = services.directory.get(_partition(org), promise.key)
    if item is not None and (
        _promise_of(item) == promise.promise_id or _is_open(services, org, _promise_of(item))
    ):
        return
    data = {"promise": promise.promise_id}
    try:
        services.directory.put(_partition(org), promise.key, {**data}, expect=item.version if item else 0)
    except PreconditionFailed as lost:
        raise StoreUnavailable(f"the key {promise.key!r} is being given to another promise") from lost


def release(services: Services, org: OrgId, key: str, promise_id: str) -> None:
    """Forget the key, if it is still this promise's: its log is to expire.

    Raises:
        PreconditionFailed: somebody else has given it to another promise.
    """
    item = services.directory.get(_partition(org), key)
    if item is not None and _promise_of(item) == promise_id:
        services.directory.delete(_partition(org), key, expect=item.version)


def _is_open(services: Services, org: OrgId, promise_id: str) -> bool:
    execution, _, position = ids.owner_of(promise_id)
    tip = append.load(services, LogKey(org, execution))
    return tip is not None and tip.state.closed is None and position in tip.state.promises


def _promise_of(item: Item) -> str:
    return str(item.data["promise"])


def _partition(org: OrgId) -> str:
    return f"{org}#promise-keys"
