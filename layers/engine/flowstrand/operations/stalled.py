"""`survey`: every open execution, or a sample: which of them stall (`service.stalls`), and how far the projector lags."""

from __future__ import annotations

from itertools import islice

from flowstrand.dataclass import dataclass
from flowstrand.errors import LogCorrupted
from flowstrand.log.port import LogKey
from flowstrand.service import listing_rows, open_executions
from flowstrand.service.container import Services
from flowstrand.service.open_executions import SHARDS
from flowstrand.service.stalls import Patience, Stall, stalls_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was looked at.

    Attributes:
        looked_at: how many rows.
        is_all: whether those were all.
        lagging: how many logs the projector is behind with, beyond patience; `lag_ms` the longest.
    """

    looked_at: int
    is_all: bool
    stalls: tuple[Stall, ...]
    lagging: int
    lag_ms: int


def survey(services: Services, patience: Patience, *, most: int) -> Survey:
    """Look at open executions, at most `most` of them, beginning somewhere by chance.

    Raises:
        StoreUnavailable: the directory or a log cannot be read now.
    """
    first = int.from_bytes(services.random_bytes(4), "big") % SHARDS
    rows = open_executions.rows(services.directory, first_shard=first)
    stalls: list[Stall] = []
    lags: list[int] = []
    looked_at = 0
    for row in islice(rows, most):
        looked_at += 1
        stalls += stalls_of(services, row, patience)
        lag_ms = _lag_ms(services, row.key)
        lags += [lag_ms] if lag_ms > patience.lag_ms else []
    return Survey(
        looked_at=looked_at,
        is_all=next(rows, None) is None,
        stalls=tuple(stalls),
        lagging=len(lags),
        lag_ms=max(lags, default=0),
    )


def _lag_ms(services: Services, key: LogKey) -> int:
    """How long the projector has not known of the first event that it does not know of."""
    tail = services.log.tail(key)
    projected = listing_rows.read(services.directory, [key])[key].projected
    if tail is None or projected >= tail.last_sequence:
        return 0
    try:
        unknown = services.log.commit_at(key, projected + 1)
    except LogCorrupted:
        return 0  # it is told as what it is
    return 0 if unknown is None else services.clock.now_ms() - unknown.written_at_ms
