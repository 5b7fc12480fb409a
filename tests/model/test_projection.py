"""Feed and listing in the model: projectors that die between any two calls, two at once, records that are lost, doubled, late.

Every log is in the feed once and in order, and every execution is listed as it stands, once a sweep has seen to the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from unittest.mock import patch

import pytest

from flowstrand.directory.port import Directory, Put, Write
from flowstrand.log.port import Commit, LogKey
from flowstrand.service import listing_rows, mending, open_executions, projection, sweep
from flowstrand.service.container import Services
from flowstrand.service.listing_rows import Listed, Row
from flowstrand.service.projection import project
from tests.model.violation import Violation
from tests.model.workforce import ORG
from tests.model.world import World
from tests.support.memory_stores import MemoryDirectory
from tests.unit.service.projected import require_exactly_once, require_listed

SEEDS = 60
MUTANT_SEEDS = 300

Fault = Callable[[], AbstractContextManager[object]]


class ProjectingWorld(World):
    """A world with a projector. One record in ten says nothing to it."""

    def on_commit(self, services: Services, commit: Commit) -> None:
        """Bring the log on, unless the record is lost."""
        super().on_commit(services, commit)
        if self.random.random() < 0.9:
            _raise_first(project(services, {commit.key: commit.last_sequence}))

    def on_sweep(self, services: Services) -> None:
        """Wake, and see to what no record has told."""
        sweep.run(services)
        mending.run(services)


def _raise_first(failures: Mapping[LogKey, Exception]) -> None:
    for failure in failures.values():
        raise failure


def live(seed: int) -> None:
    """One life, to rest and through a last sweep.

    Raises:
        Violation: what is projected is not what the logs hold.
    """
    world = ProjectingWorld(seed)
    try:
        world.drive()
        world.sweep()
        services = world.processes[0]
        require_exactly_once(services, world.disk, ORG)
        require_listed(services, world.disk, ORG)
        began = [row for row in open_executions.rows(services.directory) if row.key in world.disk.commits]
        assert began == []
    except AssertionError as error:
        raise Violation(f"seed {seed}: {error}") from error
    finally:
        world.end()


@pytest.mark.parametrize("first", range(0, SEEDS, 20))
def test_whatever_happens_the_feed_has_every_event_once_and_the_listing_every_execution(first: int) -> None:
    for seed in range(first, first + 20):
        live(seed)


# --- what the model catches -----------------------------------------------------------------------


def _one_write_after_the_other() -> AbstractContextManager[object]:
    """No transaction: whoever dies half-way, or comes second, leaves a part of it."""

    def separately(self: Directory, writes: Sequence[Write]) -> None:
        for write in writes:
            if isinstance(write, Put):
                self.put(write.partition, write.key, write.data, expect=write.expect)
            else:
                self.delete(write.partition, write.key, expect=write.expect)

    return patch.object(MemoryDirectory, "write_together", separately)


def _told_is_done() -> AbstractContextManager[object]:
    """The resumer removes the row of an ended execution, whatever the projector has seen."""
    return patch.object(projection, "is_projected", lambda services, key, sequence: True)


def _nothing_is_mended() -> AbstractContextManager[object]:
    """What no record has told stays untold."""
    return patch.object(mending, "run", lambda services: 0)


def _one_log_goes_unconditionally() -> AbstractContextManager[object]:
    """A row is written whatever it is by then: of two projectors of one log, both enter its events."""
    real = listing_rows.changing

    def blindly(row: Row, projected: int, listed: Listed) -> list[Write]:
        [written, *pointers] = real(row, projected, listed)
        assert isinstance(written, Put)
        return [replace(written, expect=None), *pointers]

    return patch.object(listing_rows, "changing", blindly)


@pytest.mark.parametrize(
    "fault", [_one_write_after_the_other, _told_is_done, _nothing_is_mended, _one_log_goes_unconditionally]
)
def test_the_model_catches(fault: Fault) -> None:
    with fault(), pytest.raises(Violation):
        _live_all(MUTANT_SEEDS)


def _live_all(seeds: int) -> None:
    for seed in range(seeds):
        live(seed)
