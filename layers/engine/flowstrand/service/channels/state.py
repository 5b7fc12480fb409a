"""`ChannelState`: all that an append has to know of those before it; the checkpoint of every commit of a channel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.errors import LogCorrupted
from flowstrand.log.packing import pack_json, unpack_json
from flowstrand.log.port import Commit
from flowstrand.service.channels import producers
from flowstrand.service.channels.producers import Claim

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """A channel after one of its commits.

    Attributes:
        name: of the channel whose log this is or was.
        is_closed: nothing follows (law 4).
        last_seq: the greatest `Stream-Seq` that came with an append; None for none.
        producers: the last claim of each that is remembered, the longest silent first.
        size: bytes of all bodies.
        messages: how many there are; of a channel that is not JSON, how many appends had a body.
    """

    name: str
    is_closed: bool = False
    last_seq: str | None = None
    producers: tuple[Claim, ...] = ()
    size: int = 0
    messages: int = 0

    def after(
        self, *, size: int, messages: int, closes: bool, seq: str | None, claim: Claim | None
    ) -> ChannelState:
        """The state once an append is in."""
        return replace(
            self,
            is_closed=closes,
            last_seq=self.last_seq if seq is None else seq,
            producers=self.producers if claim is None else producers.remember(self.producers, claim),
            size=self.size + size,
            messages=self.messages + messages,
        )


def pack_state(state: ChannelState) -> bytes:
    """`state` as a checkpoint."""
    claims = [[one.producer, one.epoch, one.sequence] for one in state.producers]
    return pack_json(
        {
            "v": VERSION,
            "name": state.name,
            "closed": state.is_closed,
            "seq": state.last_seq,
            "producers": claims,
            "size": state.size,
            "messages": state.messages,
        }
    )


def state_at(commit: Commit) -> ChannelState:
    """The state after `commit`.

    Raises:
        LogCorrupted: it is no commit of a channel, or is damaged, or of a version this code does not know.
    """
    if commit.checkpoint is None:
        raise LogCorrupted(f"the commit at {commit.sequence} of {commit.key} has no checkpoint")
    try:
        return _parse(unpack_json(commit.checkpoint))
    except (KeyError, TypeError, ValueError) as error:
        raise LogCorrupted(
            f"the checkpoint at {commit.sequence} of {commit.key} cannot be read: {error}"
        ) from error


def _parse(stored: Any) -> ChannelState:
    if stored["v"] != VERSION:
        raise ValueError(f"unknown version {stored['v']!r}")
    return ChannelState(
        name=stored["name"],
        is_closed=stored["closed"],
        last_seq=stored["seq"],
        producers=tuple(Claim(*one) for one in stored["producers"]),
        size=stored["size"],
        messages=stored["messages"],
    )
