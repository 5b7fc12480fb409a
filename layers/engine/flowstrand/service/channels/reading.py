"""Reading a channel: pages of what was appended, and that it was read. Strongly consistent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowstrand.dataclass import dataclass
from flowstrand.errors import InvalidInput, LogCorrupted
from flowstrand.log.port import Commit
from flowstrand.service.channels import rows, standing
from flowstrand.service.channels.commits import fetched, size_of
from flowstrand.service.channels.rows import Channel
from flowstrand.service.channels.standing import Standing
from flowstrand.service.container import Services

_COMMITS = 500
"""How many appends one page holds, at most."""
_PAGE_BYTES = 1024 * 1024
"""A page ends before its bodies exceed this, but holds one whatever its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPage:
    """Consecutive appends of one channel.

    Attributes:
        bodies: of each that has one. Those of a JSON channel hold one message or more, separated by commas.
        next_after: the last position looked at; where the next page starts.
        up_to_date: there was nothing beyond it when it was read.
        closed: nothing follows the channel's end. With `up_to_date`, nothing will ever follow.
    """

    bodies: tuple[bytes, ...]
    next_after: int
    up_to_date: bool
    closed: bool

    @property
    def is_final(self) -> bool:
        """Nothing follows this page, now or ever (law 4)."""
        return self.closed and self.up_to_date


def page(services: Services, channel: Channel, *, after: int) -> ChannelPage:
    """What was appended behind `after`; less where the page grows too large.

    Raises:
        NotFound: the log is gone (`CHANNEL_NOT_FOUND`).
        InvalidInput: `after` lies beyond the end (`POSITION_BEYOND_TAIL`).
        LogCorrupted: the log is not contiguous.
    """
    tail = services.log.tail(channel.key)
    if tail is None or tail.expires_at_ms is not None:
        raise standing.not_found()
    if after > tail.sequence:
        raise InvalidInput(f"position {after} lies beyond the end, {tail.sequence}", code="POSITION_BEYOND_TAIL")
    taken = [*_fitting(_behind(services, tail, after))]
    next_after = taken[-1].sequence if taken else after
    bodies = tuple(body for body in (fetched(services, commit) for commit in taken) if body)
    return ChannelPage(
        bodies=bodies,
        next_after=next_after,
        up_to_date=next_after >= tail.sequence,
        closed=Standing(channel, tail).state.is_closed,
    )


def note_read(services: Services, found: Standing) -> None:
    """A channel with a time to live is read, and so lives on. Written down at most ten times in that time."""
    channel, now_ms = found.channel, services.clock.now_ms()
    if channel.ttl_s is None or now_ms - found.tail.written_at_ms < channel.renewed_every_ms:
        return
    if now_ms - rows.used_at_ms(services.directory, channel) >= channel.renewed_every_ms:
        rows.note_use(services.directory, channel, now_ms)


def _behind(services: Services, tail: Commit, after: int) -> Sequence[Commit]:
    if tail.sequence == after:
        return ()
    if tail.sequence == after + 1:
        return (tail,)
    found = services.log.read(tail.key, after=after, limit=min(_COMMITS, tail.sequence - after))
    if not found:
        raise LogCorrupted(f"{tail.key} ends at {tail.sequence}, but nothing was read after {after}")
    return found


def _fitting(commits: Sequence[Commit]) -> Iterator[Commit]:
    size = 0
    for taken, commit in enumerate(commits):
        size += size_of(commit)
        if taken and size > _PAGE_BYTES:
            return
        yield commit
