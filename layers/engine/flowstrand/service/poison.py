"""Poison: workflow code that ends the process it runs in, or never comes to a commit, every time that it is run.

A turn on code that this process does not have in memory is counted in the directory before any of it runs. A turn that
was dead before it could append anything leaves the log, and so the count, as it was: the next one finds both. A count
belongs to the event that the log ended with, so that whatever is appended afterwards begins a new one, and a turn that
goes well has nothing to take back. Warm turns need no count: the coroutine ends with its process.
"""

from __future__ import annotations

from contextlib import suppress

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Item, PreconditionFailed
from flowstrand.engine.decide import timeout
from flowstrand.errors import StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.container import Services

_KEPT_MS = 7 * 86_400_000
_ONLY = "-"
"""The key of the one item in a partition."""
_TRIES = 4
"""How often a count that others change at the same time is changed; a turn too few is counted rather than none run."""


@dataclass(frozen=True, slots=True)
class TurnCount:
    """Turns on a log that ends at `sequence`.

    Attributes:
        past_limit: how many have died, once there are too many for another; else 0.
    """

    key: LogKey
    sequence: int
    past_limit: int = 0


def count_turn(services: Services, key: LogKey, sequence: int) -> TurnCount:
    """Count a turn that is about to begin, unless too many have died already.

    Raises:
        StoreUnavailable: the directory cannot say; no code may run.
    """
    limit = services.settings.poison_turns
    for _ in range(_TRIES if limit else 0):
        item = services.directory.get(_partition(key), _ONLY)
        died = _turns(item, sequence)
        if died >= limit:
            return TurnCount(key, sequence, past_limit=died)
        with suppress(PreconditionFailed):
            _put(services, TurnCount(key, sequence), died + 1, item)
            break
    return TurnCount(key, sequence)


def take_back(services: Services, counted: TurnCount) -> None:
    """The turn came to nothing for a reason that says nothing about the code. A store that is away leaves it counted."""
    with suppress(StoreUnavailable):
        for _ in range(_TRIES if services.settings.poison_turns else 0):
            item = services.directory.get(_partition(counted.key), _ONLY)
            turns = _turns(item, counted.sequence)
            if not turns:
                return
            with suppress(PreconditionFailed):
                _put(services, counted, turns - 1, item)
                return


def fail(services: Services, tip: append.Tip, counted: TurnCount) -> append.Tip:
    """End the execution without running its code, unless its log has gone on meanwhile; returns where it stands.

    Raises:
        Contended, StoreUnavailable: it may be open still.
    """
    appended = append.transact(
        services,
        tip.key,
        lambda draft: timeout.poison(draft, sequence=counted.sequence, turns=counted.past_limit),
        tip=tip,
    )
    return appended.tip


def _put(services: Services, counted: TurnCount, turns: int, item: Item | None) -> None:
    services.directory.put(
        _partition(counted.key),
        _ONLY,
        {"sequence": counted.sequence, "turns": turns},
        expect=item.version if item else 0,
        expires_at_ms=services.clock.now_ms() + _KEPT_MS,
    )


def _turns(item: Item | None, sequence: int) -> int:
    turns = item.data.get("turns") if item and item.data.get("sequence") == sequence else 0
    return turns if isinstance(turns, int) else 0


def _partition(key: LogKey) -> str:
    return f"turns#{key}"
