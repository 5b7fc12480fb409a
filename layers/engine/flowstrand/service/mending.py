"""What mends the listing and the feeds where the projector was never told that a log has grown, or could not read it then.

Tables' streams lose nothing in AWS, but give up on a record after a while; the local server's is in memory. Whatever is not
projected to its end has a row among the open executions (`open_executions`), so it is enough to look at those.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from flowstrand.dataclass import dataclass
from flowstrand.service import listing_rows, open_executions
from flowstrand.service.container import Services
from flowstrand.service.open_executions import SHARDS, OpenExecution
from flowstrand.service.projection import project

_log = logging.getLogger("flowstrand.projector")

_BATCH = 100
_LONGEST_MS = 20_000
"""When a round ends, though it is not done. The next begins with another shard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What a round has done.

    Attributes:
        projected: logs that had not been, to their end.
        failed: those that still are not.
        is_done: whether all open executions have been looked at.
    """

    projected: int = 0
    failed: int = 0
    is_done: bool = True


def run(services: Services, *, longest_ms: int = _LONGEST_MS) -> Mended:
    """Project what has not been.

    Rows of which nothing is needed any more are removed. Logs that cannot be read are left for the next round.

    Args:
        longest_ms: after how long the round ends, though it is not done.
    """
    until_ms = services.clock.now_ms() + longest_ms
    first_shard = int.from_bytes(services.random_bytes(4), "big") % SHARDS
    projected, failed = 0, 0
    for rows in _batches(open_executions.rows(services.directory, first_shard=first_shard)):
        behind, failures = _mend(services, rows)
        projected, failed = projected + behind - failures, failed + failures
        if services.clock.now_ms() > until_ms:
            return Mended(projected=projected, failed=failed, is_done=False)
    return Mended(projected=projected, failed=failed)


def _batches(rows: Iterable[OpenExecution]) -> Iterator[list[OpenExecution]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _mend(services: Services, rows: list[OpenExecution]) -> tuple[int, int]:
    """How many logs were not projected to their end, and how many of those are not now either."""
    known = listing_rows.read(services.directory, [row.key for row in rows])
    tails = {row.key: services.log.tail(row.key) for row in rows}
    ends = {key: tail.last_sequence for key, tail in tails.items() if tail is not None}
    behind = {key: end for key, end in ends.items() if known[key].projected < end}
    failures = project(services, behind)
    for key, error in failures.items():
        _log.error("the log of %s is not projected: %s", key, error)
    for row in rows:
        if row.is_told and row.key not in behind:
            open_executions.remove(services.directory, row.key)
    return len(behind), len(failures)
