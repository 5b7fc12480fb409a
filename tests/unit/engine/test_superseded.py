"""A turn drops everything when a duplicate has done its work, whatever else has happened since."""

from __future__ import annotations

from flowstrand.engine.decide import timer, turn
from tests.unit.engine.folded import NOW_MS, drafted, timer_at, wait


def test_a_stale_turn_stays_superseded_when_a_later_one_has_resumed() -> None:
    """Closing beside the later turn, it would record waits of the past, some of which can never be satisfied again."""
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS), timer_at(2, NOW_MS)], 0)
    wait(draft, frozenset({1, 2}))
    timer.fire(draft, 1)  # at 5
    timer.fire(draft, 2)  # at 6
    assert not turn.is_superseded(draft.state, 6)
    turn.resume(draft, "w")
    turn.issue(draft, [timer_at(3, NOW_MS)], 0)
    wait(draft, frozenset({3}), horizon=6)
    timer.fire(draft, 3)
    turn.resume(draft, "w")
    assert draft.state.is_runnable
    assert turn.is_superseded(draft.state, 6)
    assert not turn.is_superseded(draft.state, draft.state.sequence)


def test_a_turn_goes_on_behind_what_it_has_flushed_itself() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS)], 0)
    wait(draft, frozenset({1}))
    timer.fire(draft, 1)
    seen = draft.state.sequence
    turn.resume(draft, "w")
    turn.record_operation(draft, 1, "price", 1)
    assert not turn.is_superseded(draft.state, seen)


def test_a_first_turn_is_superseded_by_nothing_but_an_end_of_itself() -> None:
    draft = drafted()
    assert not turn.is_superseded(draft.state, 1)
    turn.record_operation(draft, 1, "price", 1)
    assert not turn.is_superseded(draft.state, 1)
