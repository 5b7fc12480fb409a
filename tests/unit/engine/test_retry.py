"""The retry policy: exponential, saturating, and the same whenever it is asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import RetryPolicy
from flowstrand.engine.retry import has_attempt_left, retry_delay_ms

POLICIES = st.builds(
    RetryPolicy,
    max_retries=st.integers(0, 100),
    initial_ms=st.integers(0, 10**7),
    multiplier=st.floats(1, 100),
    max_ms=st.integers(0, 10**9),
    jitter=st.floats(0, 1),
)
ATTEMPTS = st.integers(1, 100_000)


def test_delays_double_until_they_saturate() -> None:
    policy = RetryPolicy(initial_ms=1_000, multiplier=2, max_ms=10_000, jitter=0)
    delays = [retry_delay_ms(policy, attempt=attempt, seed="t") for attempt in range(1, 7)]
    assert delays == [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]


@given(policy=POLICIES, attempt=ATTEMPTS, seed=st.text())
def test_no_delay_is_negative_or_over_the_maximum(policy: RetryPolicy, attempt: int, seed: str) -> None:
    assert 0 <= retry_delay_ms(policy, attempt=attempt, seed=seed) <= policy.max_ms


@given(policy=POLICIES, attempt=ATTEMPTS)
def test_jitter_takes_at_most_its_share(policy: RetryPolicy, attempt: int) -> None:
    full = RetryPolicy(initial_ms=policy.initial_ms, multiplier=policy.multiplier, max_ms=policy.max_ms, jitter=0)
    whole = retry_delay_ms(full, attempt=attempt, seed="t")
    drawn = retry_delay_ms(policy, attempt=attempt, seed="t")
    assert whole * (1 - policy.jitter) - 1 <= drawn <= whole


@given(policy=POLICIES, attempt=ATTEMPTS, seed=st.text())
def test_deciding_again_decides_the_same(policy: RetryPolicy, attempt: int, seed: str) -> None:
    first, second = (retry_delay_ms(policy, attempt=attempt, seed=seed) for _ in range(2))
    assert first == second


@given(policy=POLICIES, attempt=ATTEMPTS)
def test_without_jitter_delays_never_shrink(policy: RetryPolicy, attempt: int) -> None:
    steady = RetryPolicy(
        initial_ms=policy.initial_ms, multiplier=policy.multiplier, max_ms=policy.max_ms, jitter=0
    )
    now, then = (retry_delay_ms(steady, attempt=n, seed="t") for n in (attempt, attempt + 1))
    assert now <= then


@given(attempt=ATTEMPTS)
def test_no_delay_to_begin_with_stays_none(attempt: int) -> None:
    policy = RetryPolicy(initial_ms=0, multiplier=2.0, max_ms=60_000)
    assert retry_delay_ms(policy, attempt=attempt, seed="t") == 0


def test_different_tasks_draw_different_delays() -> None:
    policy = RetryPolicy(initial_ms=10_000, jitter=1)
    assert len({retry_delay_ms(policy, attempt=1, seed=f"t{n}") for n in range(50)}) > 40


def test_attempts_are_retries_and_one_more() -> None:
    policy = RetryPolicy(max_retries=2)
    assert [has_attempt_left(policy, attempt=n) for n in (1, 2, 3)] == [True, True, False]
    assert not has_attempt_left(RetryPolicy(max_retries=0), attempt=1)
