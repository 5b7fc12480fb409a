"""What mends the listing and the feeds where the projector was never told that a log has grown, or could not read it then.

Tables' streams lose nothing in AWS, but give up on a record after a while; the local server's is in memory. Whatever is not
projected to its end has a row among the open executions (`open_executions`), so it is enough to look at those.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from flowstrand.service import listing_rows, open_executions
from flowstrand.service.container import Services
from flowstrand.service.open_executions import SHARDS, OpenExecution
from flowstrand.service.projection import project

_log = logging.getLogger("flowstrand.projector")

_BATCH = 100
_LONGEST_MS = 20_000
"""When a round ends, though it is not done. The next begins with another shard."""


def run(services: Services, *, longest_ms: int = _LONGEST_MS) -> int:
    """Project what has not been; returns how many logs that were.

    Rows of which nothing is needed any more are removed. Logs that cannot be read are left for the next round.

    Args:
        longest_ms: after how long the round ends, though it is not done.
    """
    until_ms = services.clock.now_ms() + longest_ms
    first_shard = int.from_bytes(services.random_bytes(4), "big") % SHARDS
    count = 0
    for rows in _batches(open_executions.rows(services.directory, first_shard=first_shard)):
        count += _mend(services, rows)
        if services.clock.now_ms() > until_ms:
            break
    return count


def _batches(rows: Iterable[OpenExecution]) -> Iterator[list[OpenExecution]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _mend(services: Services, rows: list[OpenExecution]) -> int:
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
    return len(behind) - len(failures)
