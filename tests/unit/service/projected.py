"""What must hold of a feed and a listing, compared with the logs that they were made from."""

from __future__ import annotations

from collections import defaultdict

from flowstrand.engine.events import Family
from flowstrand.engine.evolve import fold
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import feed, listing_rows
from flowstrand.service.container import Services
from flowstrand.service.feed import FeedEvent
from flowstrand.service.listing_rows import Group
from tests.support.memory_stores import Disk
from tests.unit.service.service_world import ORG


def whole_feed(services: Services, org: OrgId = ORG, limit: int = 7) -> list[FeedEvent]:
    """Every event of the feed, page by page."""
    found: list[FeedEvent] = []
    after, up_to_date = 0, False
    while not up_to_date:
        page = feed.read(services, org, after=after, limit=limit)
        found += page.events
        after, up_to_date = page.next_after, page.up_to_date
    return found


def pointers(disk: Disk, org: OrgId = ORG) -> set[tuple[str, ExecutionId]]:
    """Every pointer: the partition's name behind the org, and whom it points at."""
    prefix = f"@listing#{org}#"
    return {
        (partition.removeprefix(prefix), listing_rows.pointed_at(org, key).execution_id)
        for partition, items in disk.items.items()
        if partition.startswith(prefix)
        for key in items
    }


def require_exactly_once(services: Services, disk: Disk, org: OrgId = ORG) -> None:
    """The feed has every event of every log once, in its log's order, in one dense sequence; no stream chunks."""
    found = whole_feed(services, org)
    assert [event.sequence for event in found] == list(range(1, len(found) + 1))
    by_log: defaultdict[LogKey, list[int]] = defaultdict(list)
    for event in found:
        by_log[event.key].append(event.event.sequence)
    assert by_log == {key: sequences for key in disk.commits if (sequences := _observable(disk, key))}


def require_listed(services: Services, disk: Disk, org: OrgId = ORG) -> None:
    """Every log has a row that shows how it stands; that of an execution two pointers, in its group and in its kind's."""
    rows = listing_rows.read(services.directory, disk.commits)
    expected: set[tuple[str, ExecutionId]] = set()
    for key, commits in disk.commits.items():
        state = fold(None, [event for commit in commits for event in unpack_events(commit)])
        listed = rows[key].listed
        assert listed is not None
        assert (rows[key].projected, listed.current_sequence) == (state.sequence, state.sequence)
        assert (listed.status, listed.kind) == (state.status, state.kind)
        if state.is_task:
            continue
        group = Group.of(state.status)
        expected |= {(group.value, key.execution_id), (f"{group}#{state.kind}", key.execution_id)}
    assert pointers(disk, org) == expected


def _observable(disk: Disk, key: LogKey) -> list[int]:
    events = (event for commit in disk.commits[key] for event in unpack_events(commit))
    return [event.sequence for event in events if event.family is not Family.STREAM]
