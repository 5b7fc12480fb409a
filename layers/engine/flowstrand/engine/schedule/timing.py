"""When a schedule's runs are due: once, or by a cron expression in a time zone.

The moments of a schedule are a set that depends on nothing but its timing: whatever moment one asks from, the next one
is the same. Where clocks change, cron expressions mean what Debian's cron(8) makes of them:

    hour and minute fixed ("30 2 * * *")     a time that is left out runs as soon as the clocks have changed; one that
                                             comes twice runs the first time
    hour or minute a wildcard ("*/15 * …")   runs whenever a clock on the wall shows it: never when it is left out, and
                                             each time that it comes

Clocks that change by less than an hour (Lord Howe Island's) may pass over a wildcard's run on that day.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from flowstrand.dataclass import dataclass
from flowstrand.engine.schema import EpochMs
from flowstrand.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_FIELDS = 5
_MAX_EXPRESSION = 256
_FIRST_LOOK_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Either `at_ms` (epoch milliseconds) or `cron`, five fields, is given.

    Attributes:
        time_zone: an IANA name; what the fields of `cron` are in.
    """

    at_ms: EpochMs | None = None
    cron: str | None = None
    time_zone: str = "UTC"


def require_valid(timing: Timing, now_ms: int) -> None:
    """Refuse what has no moment after `now_ms`.

    Raises:
        InvalidInput: with the pointer of the field that is at fault.
    """
    if (timing.at_ms is None) == (timing.cron is None):
        raise _invalid("at", "a schedule has either a moment or a cron expression")
    _zone(timing.time_zone)
    if timing.cron is not None:
        _require_cron(timing.cron)
    if next_after(timing, now_ms) is None:
        raise _invalid("at" if timing.cron is None else "cron", "no run would ever be due")


def next_after(timing: Timing, after_ms: int) -> EpochMs | None:
    """The first moment after `after_ms`; None if there is none within fifty years."""
    return next(_moments(timing, after_ms), None)


def newest(timing: Timing, after_ms: int, up_to_ms: int, limit: int) -> tuple[EpochMs, ...]:
    """The last `limit` moments after `after_ms` and not after `up_to_ms`, oldest first.

    Looks further and further back from the end, so that what it costs depends on `limit` and not on how many there were.
    """
    look_ms = _FIRST_LOOK_MS
    while True:
        start_ms = max(after_ms, up_to_ms - look_ms)
        found = deque(_until(timing, start_ms, up_to_ms), maxlen=limit)
        if len(found) == limit or start_ms == after_ms:
            return tuple(found)
        look_ms *= 4


def _until(timing: Timing, after_ms: int, up_to_ms: int) -> Iterator[EpochMs]:
    for at_ms in _moments(timing, after_ms):
        if at_ms > up_to_ms:
            return
        yield at_ms


def _moments(timing: Timing, after_ms: int) -> Iterator[EpochMs]:
    """Every moment after `after_ms`, in order."""
    if timing.at_ms is not None:
        if timing.at_ms > after_ms:
            yield timing.at_ms
    elif timing.cron is not None:
        yield from _cron_moments(timing.cron, _zone(timing.time_zone), after_ms)


def _cron_moments(cron: str, zone: ZoneInfo, after_ms: int) -> Iterator[EpochMs]:
    last_ms = after_ms
    for wall in CronSim(cron, (_EPOCH + after_ms * _MS).astimezone(zone)):
        moment = wall.astimezone(UTC)
        if moment.astimezone(zone) != wall:
            continue  # a midnight that this day does not have
        at_ms = (moment - _EPOCH) // _MS
        if at_ms > last_ms:  # asked for from within a repeated hour, it begins with that hour's first pass
            last_ms = at_ms
            yield EpochMs(at_ms)


def _require_cron(cron: str) -> None:
    if len(cron) > _MAX_EXPRESSION or len(cron.split()) != _FIELDS:
        raise _invalid("cron", "must be five fields: minute, hour, day of month, month, day of week")
    try:
        CronSim(cron, _EPOCH)
    except (CronSimError, ValueError, TypeError) as error:
        raise _invalid("cron", f"is not a cron expression: {error}") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        raise _invalid("timeZone", "is not the name of an IANA time zone") from None


def _invalid(field: str, fault: str) -> InvalidInput:
    return InvalidInput(f"{field}: {fault}", details=[{"pointer": f"/{field}", "message": fault}])
