"""Idempotent producers: who has sent what, and what that makes of what comes next. Pure.

A producer numbers its requests from 0 in each epoch. One that begins again takes a higher epoch, which fences whoever still
uses the old one. The last `REMEMBERED` producers that have appended are known; one that has been forgotten must begin again at 0, so
that nothing of it but a repeated first request could be taken twice.
"""

from __future__ import annotations

from typing import TypeAlias

from flowstrand.dataclass import dataclass

REMEMBERED = 64
"""How many producers of one channel are known; with one more, the one that has been silent the longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself, and what is remembered of a producer: the last one accepted."""

    producer: str
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True)
class New:
    """The request is the next one."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """It has been accepted before; `last` is the newest that has been."""

    last: Claim


@dataclass(frozen=True, slots=True)
class Stale:
    """Its epoch is over; `epoch` is the present one."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Missing:
    """What comes before it has not come; `expected` has the number that would be right."""

    expected: int


@dataclass(frozen=True, slots=True)
class NotFromZero:
    """A new epoch begins at 0."""


Verdict: TypeAlias = New | Duplicate | Stale | Missing | NotFromZero


def judge(known: tuple[Claim, ...], claim: Claim) -> Verdict:
    """What a request is, given what is known of its channel's producers."""
    last = next((one for one in known if one.producer == claim.producer), None)
    if last is None:
        return New() if claim.sequence == 0 else Missing(0)
    if claim.epoch < last.epoch:
        return Stale(last.epoch)
    if claim.epoch > last.epoch:
        return New() if claim.sequence == 0 else NotFromZero()
    if claim.sequence <= last.sequence:
        return Duplicate(last)
    return New() if claim.sequence == last.sequence + 1 else Missing(last.sequence + 1)


def remember(known: tuple[Claim, ...], claim: Claim) -> tuple[Claim, ...]:
    """What is known once `claim` is accepted: the longest silent first."""
    others = [one for one in known if one.producer != claim.producer]
    return (*others, claim)[-REMEMBERED:]
