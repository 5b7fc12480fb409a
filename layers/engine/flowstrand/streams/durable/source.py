"""`Source`: what is read under the protocol. `Page`: a step through it."""

from __future__ import annotations

from typing import Protocol

from flowstrand.dataclass import dataclass
from flowstrand.service.channels.content import is_json
from flowstrand.streams.durable.offsets import Offsets

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Consecutive parts of a stream.

    Attributes:
        bodies: in order. Those of a JSON stream hold one message or more, separated by commas.
        next_after: the position behind them.
        up_to_date: there was nothing beyond it when it was read.
        is_final: nothing follows, now or ever (law 4).
    """

    bodies: tuple[bytes, ...]
    next_after: int
    up_to_date: bool
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where a stream ends now."""

    position: int
    closed: bool


class Reader(Protocol):
    """Goes through a source, and waits at its end."""

    async def next_page(self, *, until_ms: int) -> Page | None:
        """The next page that goes forward, or is final; None when the clock reads `until_ms` first."""
        ...


class Source(Protocol):
    """A stream that is there."""

    @property
    def id(self) -> str:
        """Tells it from every other of the same URL."""
        ...

    @property
    def content_type(self) -> str:
        """What it holds."""
        ...

    @property
    def offsets(self) -> Offsets:
        """How its positions are written."""
        ...

    def about(self) -> dict[str, str]:
        """Headers that tell how it was made."""
        ...

    def end(self) -> End:
        """Where it ends now."""
        ...

    def page(self, after: int) -> Page:
        """What follows `after`.

        Raises:
            NotFound, Gone: it is there no more, or what follows is not.
            InvalidInput: `after` lies beyond its end (`POSITION_BEYOND_TAIL`).
        """
        ...

    def reader(self, after: int) -> Reader:
        """Reads on from `after`."""
        ...


def joined(source: Source, page: Page) -> bytes:
    """The bodies of a page as one: an array of messages, or bytes behind bytes."""
    if is_json(source.content_type):
        return b"[" + b",".join(page.bodies) + b"]"
    return b"".join(page.bodies)
