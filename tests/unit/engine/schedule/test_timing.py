"""When runs are due, above all where clocks change; checked against a search that goes through every minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowstrand.engine.schedule.timing import Timing, newest, next_after, require_valid
from flowstrand.engine.schema import EpochMs, epoch_ms, rfc3339
from flowstrand.errors import InvalidInput

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def cron(expression: str, zone: str = "UTC") -> Timing:
    return Timing(cron=expression, time_zone=zone)


def moments(timing: Timing, after: str, count: int) -> list[str]:
    """The next `count` moments, as clocks in the timing's zone show them."""
    found: list[str] = []
    at_ms: int = epoch_ms(after)
    for _ in range(count):
        following = next_after(timing, at_ms)
        if following is None:
            break
        at_ms = following
        wall = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timing.time_zone))
        found.append(f"{wall:%m-%d %H:%M%z}")
    return found


def test_a_moment_is_due_once() -> None:
    timing = Timing(at_ms=EpochMs(1_000))
    assert next_after(timing, 999) == 1_000
    assert next_after(timing, 1_000) is None


def test_a_time_that_the_clocks_leave_out_is_due_as_soon_as_they_have_changed() -> None:
    assert moments(cron("30 2 * * *", BERLIN), "2026-03-28T00:00:00Z", 3) == [
        "03-28 02:30+0100",
        "03-29 03:00+0200",
        "03-30 02:30+0200",
    ]


def test_two_times_that_the_clocks_leave_out_are_one_run() -> None:
    assert moments(cron("0,30 2 * * *", BERLIN), "2026-03-28T12:00:00Z", 2) == [
        "03-29 03:00+0200",
        "03-30 02:00+0200",
    ]


def test_a_time_that_comes_twice_is_due_the_first_time() -> None:
    assert moments(cron("30 2 * * *", BERLIN), "2026-10-24T12:00:00Z", 2) == [
        "10-25 02:30+0200",
        "10-26 02:30+0100",
    ]


def test_asked_within_the_repeated_hour_it_is_due_on_the_next_day() -> None:
    second_pass = "2026-10-25T01:10:00Z"  # 02:10 for the second time
    assert moments(cron("30 2 * * *", BERLIN), second_pass, 1) == ["10-26 02:30+0100"]


def test_a_run_of_every_hour_comes_in_every_hour_that_there_is() -> None:
    assert moments(cron("0 * * * *", BERLIN), "2026-10-24T23:30:00Z", 4) == [
        "10-25 02:00+0200",
        "10-25 02:00+0100",
        "10-25 03:00+0100",
        "10-25 04:00+0100",
    ]
    assert moments(cron("0 * * * *", BERLIN), "2026-03-29T00:30:00Z", 2) == [
        "03-29 03:00+0200",
        "03-29 04:00+0200",
    ]


def test_a_zone_decides_which_day_it_is() -> None:
    assert moments(cron("0 0 * * MON", NEW_YORK), "2026-11-28T00:00:00Z", 2) == [
        "11-30 00:00-0500",
        "12-07 00:00-0500",
    ]


def test_the_29th_of_february_is_waited_for() -> None:
    assert next_after(cron("0 0 29 2 *"), epoch_ms("2096-03-01T00:00:00Z")) == epoch_ms("2104-02-29T00:00:00Z")


def test_the_newest_moments_are_found_without_going_through_all() -> None:
    year_2000, now = epoch_ms("2000-01-01T00:00:00Z"), epoch_ms("2026-01-01T00:00:30Z")
    found = newest(cron("* * * * *"), year_2000, now, 100)
    assert (len(found), rfc3339(found[0]), rfc3339(found[-1])) == (
        100,
        "2025-12-31T22:21:00.000Z",
        "2026-01-01T00:00:00.000Z",
    )
    yearly = newest(cron("0 0 1 1 *"), year_2000, now, 100)
    assert [rfc3339(at_ms)[:4] for at_ms in yearly] == [str(year) for year in range(2001, 2027)]
    assert newest(cron("0 0 1 1 *"), now, now, 3) == ()


@pytest.mark.parametrize(
    ("timing", "pointer"),
    [
        (cron("0 2 * *"), "/cron"),
        (cron("0 0 2 * * *"), "/cron"),
        (cron("60 * * * *"), "/cron"),
        (cron("x * * * *"), "/cron"),
        (cron("0 0 L/2 * 8"), "/cron"),
        (cron("0 0 30 2 *"), "/cron"),
        (cron("0 0 * * *" + " " * 300), "/cron"),
        (cron("0 0 * * *", "Europe/Atlantis"), "/timeZone"),
        (cron("0 0 * * *", "../../etc/passwd"), "/timeZone"),
        (cron("0 0 * * *", ""), "/timeZone"),
        (Timing(), "/at"),
        (Timing(at_ms=EpochMs(2 * DAY_MS), cron="0 0 * * *"), "/at"),
        (Timing(at_ms=EpochMs(DAY_MS)), "/at"),
    ],
)
def test_what_has_no_moment_is_refused_with_the_field_that_is_at_fault(timing: Timing, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_valid(timing, DAY_MS)
    assert [fault["pointer"] for fault in refused.value.details or ()] == [pointer]


EXPRESSIONS = st.sampled_from(
    [
        "30 2 * * *",
        "0,30 1-3 * * *",
        "15 0,1,2,3,23 * * *",
        "5 */2 * * *",
        "0 * * * *",
        "*/20 * * * *",
        "*/15 2 * * *",
        "10 0 * * SUN",
    ]
)
CHANGES = st.sampled_from(
    [
        (BERLIN, "2026-03-29T01:00:00Z"),
        (BERLIN, "2026-10-25T01:00:00Z"),
        (NEW_YORK, "2026-03-08T07:00:00Z"),
        (NEW_YORK, "2026-11-01T06:00:00Z"),
        ("Africa/Cairo", "2026-04-23T22:00:00Z"),  # at midnight
        ("Africa/Cairo", "2026-10-29T21:00:00Z"),
        ("Atlantic/Azores", "2026-10-25T01:00:00Z"),  # back to midnight
    ]
)


@settings(max_examples=120, deadline=None)
@given(EXPRESSIONS, CHANGES, st.integers(-36 * 60, 12 * 60))
def test_the_next_moment_is_the_one_that_a_search_through_every_minute_finds(
    expression: str, change: tuple[str, str], minutes: int
) -> None:
    zone, at = change
    after_ms = epoch_ms(at) + minutes * MINUTE_MS
    timing = cron(expression, zone)
    assert next_after(timing, after_ms) == next(_searched(expression, ZoneInfo(zone), after_ms))


def _searched(expression: str, zone: ZoneInfo, after_ms: int) -> Iterator[int]:
    """Moments after `after_ms`, by going through the minutes."""
    minute, hour = expression.split()[:2]
    is_fixed = not minute.startswith("*") and not hour.startswith("*")
    start = datetime.fromtimestamp(after_ms / 1000, UTC).replace(second=0, microsecond=0)
    for step in range(8 * 24 * 60):
        instant = start + timedelta(minutes=step)
        at_ms = round(instant.timestamp() * 1000)
        if at_ms > after_ms and any(_matches(expression, wall) for wall in _walls(instant, zone, is_fixed)):
            yield at_ms


def _walls(instant: datetime, zone: ZoneInfo, is_fixed: bool) -> Iterator[datetime]:
    """What clocks show at `instant`, and what they have just left out; for a fixed time, not what they show again."""
    wall = instant.astimezone(zone)
    if not is_fixed or not wall.fold:
        yield wall
    before = (instant - timedelta(minutes=1)).astimezone(zone)
    gap = wall.replace(tzinfo=None) - before.replace(tzinfo=None)
    if is_fixed:
        yield from (wall - timedelta(minutes=back) for back in range(1, round(gap / timedelta(minutes=1))))


def _matches(expression: str, wall: datetime) -> bool:
    minute, hour, _, _, weekday = expression.split()
    return (
        wall.minute in _values(minute, 60)
        and wall.hour in _values(hour, 24)
        and (weekday == "*" or wall.strftime("%a").upper() == weekday)
    )


def _values(field: str, size: int) -> set[int]:
    if field.startswith("*"):
        return set(range(0, size, int(field.removeprefix("*").removeprefix("/") or 1)))
    parts = [part.split("-") for part in field.split(",")]
    return {value for part in parts for value in range(int(part[0]), int(part[-1]) + 1)}
