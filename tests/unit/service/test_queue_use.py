"""What a limited queue has room for: a token bucket and a count of attempts, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.service.queue_controls import QueueControl
from flowstrand.service.queue_use import QueueUse

NOW_MS = 1_795_435_200_000
LEASE_MS = 60_000
FIVE_A_SECOND = QueueControl(max_tasks_per_second=5.0)
TWO_AT_ONCE = QueueControl(max_concurrent=2)


def begin(use: QueueUse, control: QueueControl, now_ms: int, *names: str) -> QueueUse:
    return use.begun(control, names, now_ms, now_ms + LEASE_MS)


def test_a_queue_without_limits_has_room_for_any_number() -> None:
    assert QueueUse().room(QueueControl(), NOW_MS) is None


def test_a_bucket_that_was_never_used_holds_a_seconds_worth() -> None:
    assert QueueUse().room(FIVE_A_SECOND, NOW_MS) == 5


def test_a_bucket_fills_as_fast_as_attempts_may_begin_and_not_beyond_its_rim() -> None:
    empty = begin(QueueUse(), FIVE_A_SECOND, NOW_MS, *"abcde")

    assert empty.room(FIVE_A_SECOND, NOW_MS) == 0
    assert empty.room_in_ms(FIVE_A_SECOND, NOW_MS) == 200
    assert [empty.room(FIVE_A_SECOND, NOW_MS + ms) for ms in (199, 200, 600, 1_000, 3_600_000)] == [0, 1, 3, 5, 5]


def test_less_than_one_a_second_is_one_every_few_seconds() -> None:
    slow = QueueControl(max_tasks_per_second=0.25)
    once = begin(QueueUse(), slow, NOW_MS, "a")

    assert once.room_in_ms(slow, NOW_MS) == 4_000
    assert once.room(slow, NOW_MS + 4_000) == 1


def test_attempts_that_end_make_room_for_others() -> None:
    full = begin(QueueUse(), TWO_AT_ONCE, NOW_MS, "a", "b")

    assert full.room(TWO_AT_ONCE, NOW_MS) == 0
    assert full.room_in_ms(TWO_AT_ONCE, NOW_MS) is None
    assert full.ended(["a"]).room(TWO_AT_ONCE, NOW_MS) == 1


def test_an_attempt_that_ends_twice_makes_room_once() -> None:
    full = begin(QueueUse(), TWO_AT_ONCE, NOW_MS, "a", "b")

    assert full.ended(["a"]).ended(["a"]).room(TWO_AT_ONCE, NOW_MS) == 1


def test_what_did_not_begin_after_all_gives_its_token_back() -> None:
    both = QueueControl(max_tasks_per_second=5.0, max_concurrent=5)
    begun = begin(QueueUse(), both, NOW_MS, "a", "b", "c")

    assert begun.not_begun(["b", "c"]).room(both, NOW_MS) == 4


def test_attempts_are_silent_from_the_end_of_what_is_known_of_them() -> None:
    begun = begin(QueueUse(), TWO_AT_ONCE, NOW_MS, "a")

    assert begun.silent(NOW_MS + LEASE_MS - 1) == []
    assert begun.silent(NOW_MS + LEASE_MS) == ["a"]
    assert begun.extended({"a": NOW_MS + 2 * LEASE_MS}).silent(NOW_MS + LEASE_MS) == []


def test_a_limit_that_was_lowered_has_room_only_when_enough_have_ended() -> None:
    three = begin(QueueUse(), QueueControl(max_concurrent=3), NOW_MS, "a", "b", "c")

    assert three.room(TWO_AT_ONCE, NOW_MS) == 0
    assert three.ended(["a"]).room(TWO_AT_ONCE, NOW_MS) == 0


@given(
    rate=st.floats(0.1, 50),
    pauses=st.lists(st.integers(0, 2_000), min_size=1, max_size=60),
    greed=st.integers(1, 20),
)
def test_in_no_stretch_of_time_do_more_begin_than_the_rate_and_one_bucket_allow(
    rate: float, pauses: list[int], greed: int
) -> None:
    control, use, now_ms = QueueControl(max_tasks_per_second=rate), QueueUse(), NOW_MS
    begun: list[int] = []
    for pause_ms in pauses:
        now_ms += pause_ms
        count = min(greed, use.room(control, now_ms) or 0)
        use = begin(use, control, now_ms, *(f"{now_ms}-{n}" for n in range(count)))
        begun += [now_ms] * count
    for first in range(len(begun)):
        seconds = [(at_ms - begun[first]) / 1_000 for at_ms in begun[first:]]
        for number, elapsed_s in enumerate(seconds, start=1):
            assert number <= max(1.0, rate) + elapsed_s * rate + 1e-3


@pytest.mark.parametrize("control", [FIVE_A_SECOND, TWO_AT_ONCE])
def test_a_clock_that_is_behind_makes_no_room(control: QueueControl) -> None:
    used = begin(QueueUse(), control, NOW_MS, *"abcde")

    assert used.room(control, NOW_MS - 10_000) == 0
