"""`flowstrand.dataclass`: what it declares is what the standard library would have declared."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.dataclass import dataclass


def _declared(decorator: Callable[..., Any], **options: Any) -> Any:
    """The same class, by one decorator or the other."""

    @decorator(frozen=True, slots=True, **options)
    class Row:
        """A row of anything."""

        key: object
        size: object = 0
        tags: object = field(default_factory=tuple)
        secret: object = field(default="hidden", repr=False)
        read_at: object = field(default=None, compare=False)

        def shout(self) -> str:
            return str(self.key).upper()

    return Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """With a field that its heirs have too."""

    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Base):
    """With one more."""

    name: str = "nobody"


@dataclass(frozen=True, slots=True)
class Positional:
    """By position."""

    x: int
    y: int = 2


@dataclass(frozen=True, slots=True)
class Empty:
    """Without any field."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identical:
    """Equal to itself alone."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubled:
    """Of which one field is made of another."""

    half: int
    whole: int = field(init=False)
    notes: list[str] = field(init=False, default_factory=list)
    unit: str = field(init=False, default="ms")

    def __post_init__(self) -> None:
        object.__setattr__(self, "whole", 2 * self.half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """With methods of its own."""

    name: str

    def __repr__(self) -> str:
        return "custom"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Custom)

    def __hash__(self) -> int:
        return 7


@dataclass(slots=True)
class Mutable:
    """That the standard library declares."""

    count: int = 0


_VALUES = st.dictionaries(
    st.sampled_from(["size", "tags", "secret", "read_at"]), st.one_of(st.integers(0, 2), st.text(max_size=1))
)


@given(st.integers(0, 1), _VALUES, st.integers(0, 1), _VALUES)
def test_it_shows_compares_and_hashes_as_the_standard_library_does(
    key: int, values: dict[str, Any], other_key: int, others: dict[str, Any]
) -> None:
    ours, theirs = _declared(dataclass, kw_only=True), _declared(dataclasses.dataclass, kw_only=True)
    one, other = ours(key=key, **values), ours(key=other_key, **others)
    their_one, their_other = theirs(key=key, **values), theirs(key=other_key, **others)
    assert repr(one) == repr(their_one)
    assert (one == other) == (their_one == their_other)
    assert hash(one) == hash(their_one)
    assert dataclasses.asdict(one) == dataclasses.asdict(their_one)
    assert dataclasses.asdict(replace(one, size=9)) == dataclasses.asdict(replace(their_one, size=9))


@pytest.mark.parametrize("options", [{}, {"kw_only": True}])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), {}),
        ((1,), {}),
        ((), {"key": 1}),
        ((1, 2, 3, 4, 5, 6), {}),
        ((), {"key": 1, "other": 2}),
        ((1,), {"key": 1}),
    ],
)
def test_it_takes_and_refuses_arguments_as_the_standard_library_does(
    options: dict[str, bool], arguments: tuple[int, ...], named: dict[str, int]
) -> None:
    def outcome(decorator: Callable[..., Any]) -> str:
        try:
            return repr(_declared(decorator, **options)(*arguments, **named))
        except TypeError as error:
            return str(error)

    assert outcome(dataclass) == outcome(dataclasses.dataclass)


def test_it_is_a_dataclass_to_the_standard_library() -> None:
    ours, theirs = _declared(dataclass), _declared(dataclasses.dataclass)
    assert is_dataclass(_declared(dataclass))
    assert [each.name for each in fields(ours)] == [each.name for each in fields(theirs)]
    assert (ours.__match_args__, ours.__slots__, ours.__doc__) == (
        theirs.__match_args__,
        theirs.__slots__,
        theirs.__doc__,
    )
    assert ours("a").shout() == "A"


def test_nothing_of_it_can_be_changed() -> None:
    row = Derived(at=1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'at'"):
        row.at = 2  # type: ignore[misc]  # the very thing
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'at'"):
        del row.at
    with pytest.raises(AttributeError):
        row.other = 2  # type: ignore[attr-defined]  # the very thing
    assert not hasattr(row, "__dict__")


def test_an_heir_has_the_fields_of_both_and_equals_no_base() -> None:
    assert repr(Derived(at=1, name="a")) == "Derived(at=1, name='a')"
    assert Derived(at=1) != Base(at=1)
    assert Base(at=1) == Base(at=1)
    assert {Derived(at=1), Derived(at=1), Derived(at=2)} == {Derived(at=1), Derived(at=2)}


def test_fields_are_taken_by_position_where_they_may_be() -> None:
    match Positional(1):
        case Positional(x, y):
            assert (x, y) == (1, 2)


def test_instances_without_fields_are_equal() -> None:
    assert Empty() == Empty()
    assert len({Empty(), Empty()}) == 1
    assert repr(Empty()) == "Empty()"


def test_without_eq_instances_are_equal_to_themselves_alone() -> None:
    one = Identical(name="a")
    assert one == one  # noqa: PLR0124  # the very thing
    assert one != Identical(name="a")
    assert len({one, Identical(name="a")}) == 2


def test_what_is_not_given_is_made_by_the_class() -> None:
    one, other = Doubled(half=2), Doubled(half=2)
    assert (one.whole, one.unit, one.notes) == (4, "ms", [])
    assert one.notes is not other.notes


def test_methods_of_its_own_are_kept() -> None:
    assert (repr(Custom(name="a")), hash(Custom(name="a"))) == ("custom", 7)
    assert Custom(name="a") == Custom(name="b")


def test_it_is_copied_and_pickled() -> None:
    row = Doubled(half=2)
    for copied in (copy.copy(row), copy.deepcopy(row), pickle.loads(pickle.dumps(row))):  # its own
        assert copied == row


def test_what_may_change_is_the_standard_librarys() -> None:
    counter = Mutable()
    counter.count += 1
    assert counter == Mutable(count=1)
