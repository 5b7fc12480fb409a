"""The ledger: what was asked for, and what of it the log records."""

from __future__ import annotations

import pytest

from flowstrand.engine.replay.commands import CancelTimer, StartTimer
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.ledger import MAX_OPEN_OPERATIONS, Ledger, Operation
from flowstrand.errors import TooManyOpenOperations


def timer(position: int) -> StartTimer:
    return StartTimer(position=position, fire_at_ms=0)


def with_timers(count: int) -> Ledger:
    """A ledger in which timers were asked for, each behind one more event."""
    ledger = Ledger()
    for _ in range(count):
        position = ledger.next_position()
        ledger.request(timer(position), Future(f"m{position}", position), at=position)
    return ledger


def test_what_was_asked_for_is_unrecorded_until_the_log_records_it() -> None:
    ledger = with_timers(2)
    ledger.record(1)
    assert ledger.unrecorded() == [timer(2)]
    assert ledger.command_at(1) == timer(1)


def test_what_was_asked_for_is_known_by_what_the_code_had_seen() -> None:
    assert with_timers(3).issued_by(2) == [timer(1), timer(2)]


def test_a_cancel_of_what_has_settled_is_in_vain() -> None:
    ledger = with_timers(1)
    ledger.enter(CancelTimer(position=ledger.next_position(), target=1), at=1)
    assert len(ledger.unrecorded()) == 2
    ledger.settling(1).settle(1)
    assert ledger.unrecorded() == [timer(1)]


def test_only_so_many_operations_may_be_open() -> None:
    ledger = with_timers(MAX_OPEN_OPERATIONS)
    with pytest.raises(TooManyOpenOperations):
        ledger.require_room()
    ledger.settling(1).settle(1)
    ledger.require_room()


def test_what_settles_twice_makes_room_once() -> None:
    ledger = with_timers(MAX_OPEN_OPERATIONS + 1)
    for _ in range(2):
        ledger.settling(1).settle(1)
    with pytest.raises(TooManyOpenOperations):
        ledger.require_room()


def test_an_operation_is_unsettled_until_its_result_is_delivered() -> None:
    ledger, future = Ledger(), Future("o1", None)
    operation = Operation(ledger.next_index(), "look", lambda: None, future, 1)
    ledger.enter_operation(operation)
    assert ledger.unsettled_operations() == [operation]
    assert ledger.settling_operation(1) is future
    assert ledger.unsettled_operations() == []
    assert ledger.operation_at(1) == operation
