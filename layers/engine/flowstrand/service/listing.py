"""Listing executions, the newest first: what the projector has written, page by page.

What is listed lags behind the logs by as much as the projector does. A page reads at most so many rows, however few of them
fit: then it is short, or empty, and still says where the next one starts.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from itertools import islice

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Item, PreconditionFailed
from flowstrand.engine.events import WorkflowStatus
from flowstrand.engine.ids import OrgId
from flowstrand.errors import Unavailable
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import listing_rows
from flowstrand.service.append import Backoff
from flowstrand.service.container import Services
from flowstrand.service.listing_rows import Group, Listed

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

_LOOKED_AT = 400
"""How many executions one page looks at, at most."""
_AT_ONCE, _LEAST_AT_ONCE = 100, 10
"""How many of them are read at once: as many as may be shown, or more where most of them may not fit."""
_REMEMBERED_MS = 7 * 86_400_000
"""How long it is remembered of a removed execution that it has been projected: longer than any stream may lag."""
_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which executions are asked for; all of it must hold.

    Attributes:
        metadata: keys and what their values are, as text: of a value that is no text, its JSON.
        created_from_ms: created at this moment or later.
        created_before_ms: created earlier than this moment.
    """

    status: WorkflowStatus | None = None
    kind: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    created_from_ms: int | None = None
    created_before_ms: int | None = None

    @property
    def is_indexed(self) -> bool:
        """Whether all that the pointers lead to will do."""
        return not self.metadata and (self.status is None or Group.of(self.status) is not Group.OPEN)

    def admits(self, listed: Listed) -> bool:
        """Whether an execution is among those asked for, whenever it was created."""
        return (
            (self.status is None or listed.status is self.status)
            and (self.kind is None or listed.kind == self.kind)
            and all(_is(listed.metadata or {}, key, text) for key, text in self.metadata.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPage:
    """At most as many as asked for; fewer, or none, with more to come where `next_after` is there."""

    executions: tuple[Listed, ...]
    next_after: str | None


def page(services: Services, org: OrgId, wanted: Filter, *, after: str = "", limit: int) -> ListingPage:
    """Executions behind `after`, the newest first.

    Args:
        after: the `next_after` of another page, whatever was asked for there; empty for the first.
    """
    found: list[Listed] = []
    looked_at, position = 0, max(after, _first_position(wanted))
    at_once = max(limit, _LEAST_AT_ONCE) if wanted.is_indexed else _AT_ONCE
    while looked_at < _LOOKED_AT:
        pointers = list(islice(_pointers(services, org, wanted, position, at_once + 1), at_once + 1))
        rows = listing_rows.read(
            services.directory, [listing_rows.pointed_at(org, pointer) for pointer in pointers[:at_once]]
        )
        for count, row in enumerate(rows.values(), start=1):
            position = pointers[count - 1]
            if row.listed is not None and wanted.admits(row.listed):
                found.append(row.listed)
            if len(found) == limit:
                more = position if count < len(pointers) else None
                return ListingPage(executions=tuple(found), next_after=more)
        if len(pointers) <= at_once:
            return ListingPage(executions=tuple(found), next_after=None)
        looked_at += at_once
    return ListingPage(executions=tuple(found), next_after=position)


def remove(services: Services, key: LogKey) -> None:
    """Take an execution that has ended out of the listing; one that is not in it is left alone.

    Its row stays for a while, so that a late record of a table's stream does not bring it back.

    Raises:
        Unavailable: `BUSY`: others change its row all the time; try again.
        StoreUnavailable: it may or may not have been removed; repeating it is harmless.
    """
    backoff = Backoff(services)
    for _ in range(_TRIES):
        row = listing_rows.read(services.directory, [key])[key]
        if row.listed is None:
            return
        until_ms = services.clock.now_ms() + _REMEMBERED_MS
        try:
            services.directory.write_together(listing_rows.removing(row, until_ms))
        except PreconditionFailed:
            backoff.wait()
        else:
            return
    raise Unavailable(f"the listing of {key.execution_id} is busy; try again", code="BUSY", retry_after_s=1)


def _first_position(wanted: Filter) -> str:
    """What all pointers to executions that were created too late come before."""
    before_ms = wanted.created_before_ms
    return (
        "" if before_ms is None else f"{listing_rows.position(before_ms)}~"
    )  # `~` is behind the `#` of a pointer


def _pointers(services: Services, org: OrgId, wanted: Filter, after: str, count: int) -> Iterator[str]:
    """At least `count` pointers behind `after` to executions that may be wanted, if there are, the newest first, each once.

    Open ones are read first: an execution that ends meanwhile is then seen where it was or where it went, or in both.
    """
    partitions = [listing_rows.pointers_of(org, group, wanted.kind) for group in _groups(wanted.status)]
    pages = [services.directory.scan(partition, after=after, limit=count) for partition in partitions]
    last = "" if wanted.created_from_ms is None else f"{listing_rows.position(wanted.created_from_ms)}~"
    previous = ""
    for pointer in heapq.merge(*map(_keys, pages)):
        if last and pointer > last:
            return
        if pointer != previous:
            yield pointer
        previous = pointer


def _groups(status: WorkflowStatus | None) -> Sequence[Group]:
    return list(Group) if status is None else [Group.of(status)]


def _keys(items: Sequence[Item]) -> list[str]:
    return [item.key for item in items]


def _is(metadata: JsonObject, key: str, text: str) -> bool:
    if key not in metadata:
        return False
    value: JsonValue = metadata[key]
    return value == text if isinstance(value, str) else json.dumps(value, separators=(",", ":")) == text
