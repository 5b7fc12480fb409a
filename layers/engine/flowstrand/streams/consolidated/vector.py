"""The vector of a merge: which logs it has open, and how far it has got in each. Pure.

A log that is not in it has been told to its end, or has not been asked for yet: which of the two, its parent's position says. So a
vector has as many places as there are open descendants, however many there have been. A place does not name its log but says
where the log's parent asks for it, which takes some five bytes however long ids are; parents that have ended are there for that,
while a child of theirs is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flowstrand.dataclass import dataclass

if TYPE_CHECKING:
    from flowstrand.streams.consolidated.line import Line

_OPEN, _ROOT, _CONTINUED = 1, 2, 4
_FLAGS = 3
_MOST_BYTES = 8
"""Of one number; more is no number that a place has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One log.

    Attributes:
        parent: the index of the place of its parent, which comes before it; None for the root.
        sequence: of the `CHILD_WORKFLOW_INITIATED` in the parent's log; 0 for the root.
        hops: how often the execution has continued as another, up to this log.
        position: the last sequence that has been told; None where all has been.
    """

    parent: int | None = None
    sequence: int = 0
    hops: int = 0
    position: int | None = None


def places_of(lines: Iterable[Line]) -> tuple[Place, ...]:
    """The vector of these lines, in the order in which they have joined."""
    named: dict[tuple[int, int], Line] = {}
    open_ones = {(line.number, line.hops): line for line in lines}
    for line in open_ones.values():
        _name(line, line.hops, named)
    ordered = sorted(named)
    index = {at: number for number, at in enumerate(ordered)}
    return tuple(_place(named[at], at, index, open_ones) for at in ordered)


def _name(line: Line, hops: int, named: dict[tuple[int, int], Line]) -> None:
    """Note a log, and those that lead to it."""
    while (line.number, hops) not in named:
        named[line.number, hops] = line
        origin = line.origin
        if origin is None:
            return
        line, hops = origin.parent, origin.hops


def _place(
    line: Line, at: tuple[int, int], index: dict[tuple[int, int], int], open_ones: dict[tuple[int, int], Line]
) -> Place:
    position = line.position if open_ones.get(at) is line else None
    origin = line.origin
    if origin is None:
        return Place(hops=at[1], position=position)
    return Place(
        parent=index[origin.parent.number, origin.hops], sequence=origin.sequence, hops=at[1], position=position
    )


def pack(places: Iterable[Place]) -> bytes:
    """A vector as bytes."""
    packed = bytearray()
    for index, place in enumerate(places):
        flags = (
            (_OPEN if place.position is not None else 0)
            | (_ROOT if place.parent is None else 0)
            | (_CONTINUED if place.hops else 0)
        )
        back = 0 if place.parent is None else index - place.parent
        _put(packed, back << _FLAGS | flags)
        if place.parent is not None:
            _put(packed, place.sequence)
        if place.hops:
            _put(packed, place.hops)
        if place.position is not None:
            _put(packed, place.position)
    return bytes(packed)


def unpack(packed: bytes) -> tuple[Place, ...]:
    """The inverse of `pack`.

    Raises:
        ValueError: no vector is packed so.
    """
    numbers = _numbers(packed)
    places: list[Place] = []
    for head in numbers:
        back, is_root = head >> _FLAGS, bool(head & _ROOT)
        if is_root == bool(back) or back > len(places):
            raise ValueError("a place has no parent before it")
        places.append(
            Place(
                parent=None if is_root else len(places) - back,
                sequence=0 if is_root else _positive(numbers),
                hops=_positive(numbers) if head & _CONTINUED else 0,
                position=_next(numbers) if head & _OPEN else None,
            )
        )
    return tuple(places)


def _put(packed: bytearray, number: int) -> None:
    """Seven bits a byte, the lowest first, the highest bit for whether more follow."""
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)


def _numbers(packed: bytes) -> Iterator[int]:
    number = size = 0
    for byte in packed:
        number |= (byte & 0x7F) << (7 * size)
        size += 1
        if size > _MOST_BYTES:
            raise ValueError("a number is too long")
        if byte < 0x80:
            yield number
            number = size = 0
    if size:
        raise ValueError("the last number is cut off")


def _next(numbers: Iterator[int]) -> int:
    for number in numbers:
        return number
    raise ValueError("the last place is cut off")


def _positive(numbers: Iterator[int]) -> int:
    number = _next(numbers)
    if number == 0:
        raise ValueError("a sequence counts from 1")
    return number
