"""Which usage key of API Gateway an org's requests are counted with, for its usage plan to limit and to bill.

    usage-keys    {org}    the key's value and id, and the plan that it was put in; while the org leaves it, since when

A usage key is an API key of API Gateway, and nothing like those of `service.keys`: nobody presents it, and whoever knows its value can do
nothing with it. Only `flowstrand.operations.usage` writes these rows; the authorizer reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item
from flowstrand.directory.scanning import every_item
from flowstrand.engine.names import is_name
from flowstrand.service.clock import Clock
from flowstrand.service.lately_read import LatelyRead

PARTITION = "usage-keys"
"""Of the directory; the authorizer and operators reach it, and nothing else that is deployed."""
KEPT_MS = 30_000
"""After so long a process looks at a row again."""
_ORGS = 1_024
_SHORTEST, _LONGEST = 20, 128
"""How many characters API Gateway lets a value have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageKey:
    """An org's own.

    Attributes:
        value: what the authorizer names it by.
        key_id: what API Gateway's operations name it by.
        plan_id: the usage plan that it was put in.
        left_at_ms: since when the org is counted with the shared key again; None while it has this one.
    """

    org: str
    value: str
    key_id: str
    plan_id: str
    created_at_ms: int
    left_at_ms: int | None = None


class UsageKeys:
    """Which key to count an org with: its own, or the one that orgs without one share. Thread-safe."""

    def __init__(self, directory: Callable[[], Directory], shared: str, clock: Clock) -> None:
        """The value of the shared key."""
        self.shared = shared
        self._directory = directory
        self._clock = clock
        self._known = LatelyRead[str, str](kept_ms=KEPT_MS, capacity=_ORGS)

    def of(self, org: str) -> str:
        """The value of the org's key, at most 30 s old. What is no key is none: then the shared one counts.

        Raises:
            StoreUnavailable: the directory cannot say; to count with another key would let an org pass its limit.
        """
        return self._known.get(org, self._clock.now_ms(), lambda: self._read(org))

    def _read(self, org: str) -> str:
        found = read(self._directory(), org)
        return self.shared if found is None or found.left_at_ms is not None else found.value


def read(directory: Directory, org: str) -> UsageKey | None:
    """What is recorded of an org; None where nothing is, or nothing that API Gateway could have."""
    item = directory.get(PARTITION, org)
    return None if item is None else _parsed(item)


def record(directory: Directory, key: UsageKey) -> None:
    """Have an org counted with a key, within half a minute, or not any more."""
    row: dict[str, Any] = {
        "value": key.value,
        "keyId": key.key_id,
        "planId": key.plan_id,
        "createdAtMs": key.created_at_ms,
    }
    directory.put(PARTITION, key.org, row if key.left_at_ms is None else {**row, "leftAtMs": key.left_at_ms})


def forget(directory: Directory, org: str) -> None:
    """Record nothing of an org."""
    directory.delete(PARTITION, org)


def every(directory: Directory) -> Iterator[UsageKey]:
    """All that are recorded, by org."""
    return (found for found in map(_parsed, every_item(directory, PARTITION)) if found is not None)


def _parsed(item: Item) -> UsageKey | None:
    data: Any = item.data
    value, left_at_ms = data.get("value"), data.get("leftAtMs")
    if not is_name(item.key) or not isinstance(value, str) or not _SHORTEST <= len(value) <= _LONGEST:
        return None
    return UsageKey(
        org=item.key,
        value=value,
        key_id=str(data.get("keyId")),
        plan_id=str(data.get("planId")),
        created_at_ms=int(data.get("createdAtMs") or 0),
        left_at_ms=None if left_at_ms is None else int(left_at_ms),
    )
