"""Answers to readers: a page, a held request, Server-Sent Events, or only where the stream ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum

from flowstrand.dataclass import dataclass
from flowstrand.service.container import Services
from flowstrand.service.poll_delay import PollDelay
from flowstrand.streams.durable.cursor import next_cursor
from flowstrand.streams.durable.events import events_response
from flowstrand.streams.durable.offsets import BEGINNING, NOW, invalid_offset
from flowstrand.streams.durable.source import Page, Source, joined
from flowstrand.streams.response import StreamResponse

_KEPT = "private, max-age=60, stale-while-revalidate=300"
"""What lies before a stream's end does not change."""
_ASKED_AGAIN = "private, no-cache"
"""What ends where the stream ends now: a cache may keep it, and must ask whether it still is so."""
_NOT_KEPT = "no-store"


class Live(Enum):
    """How a reader waits."""

    LONG_POLL = "long-poll"
    SSE = "sse"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """What a reader asks for.

    Attributes:
        offset: where it stands; None for the beginning, which only those who do not wait may leave out.
        cursor: the one that it was given last.
        known: entity tags of what it has.
    """

    offset: str | None = None
    live: Live | None = None
    cursor: int | None = None
    known: frozenset[str] = frozenset()


def head(source: Source) -> StreamResponse:
    """What there is to say of a stream without reading it."""
    end = source.end()
    headers = {"content-type": source.content_type, "cache-control": _NOT_KEPT, **source.about()}
    return StreamResponse(status=200, headers=headers | _position(source, end.position, is_final=end.closed))


def read(services: Services, source: Source, request: ReadRequest) -> StreamResponse:
    """What a reader gets.

    Raises:
        InvalidInput: the offset is not one of this stream, or is missing from those who wait.
        NotFound, Gone: see `Source.page`.
    """
    if request.live is not None and request.offset is None:
        raise invalid_offset("must be given by those who wait")
    offset = BEGINNING if request.offset is None else request.offset
    after = source.end().position if offset == NOW else source.offsets.position(offset)
    if request.live is None:
        return _page(source, request, after)
    cursor = next_cursor(request.cursor, services.clock.now_ms(), services.random_bytes)
    if request.live is Live.SSE:
        return events_response(services, source, after=after, cursor=cursor)
    return _held(source, request, after, cursor, _waited(services, source, after))


def _page(source: Source, request: ReadRequest, after: int) -> StreamResponse:
    page = source.page(after)
    headers = _headers(source, page)
    if request.offset == NOW:
        return _answer(200, headers | {"cache-control": _NOT_KEPT}, joined(source, page))
    return _tagged(source, request, after, page, headers | {"cache-control": _keeping(page)})


def _waited(services: Services, source: Source, after: int) -> Page:
    """The first page with something in it; or one without, when nothing can follow or the time has passed."""
    deadline_ms = services.clock.now_ms() + services.settings.long_poll_ms
    delay = PollDelay()
    page = source.page(after)
    while not page.bodies and not page.is_final:
        if page.up_to_date:
            remaining_ms = deadline_ms - services.clock.now_ms()
            if remaining_ms <= 0:
                break
            services.clock.sleep_ms(min(delay.next_ms(), remaining_ms))
        page = source.page(page.next_after)
    return page


def _held(source: Source, request: ReadRequest, after: int, cursor: int, page: Page) -> StreamResponse:
    headers = _headers(source, page) | {"stream-cursor": str(cursor)}
    if not page.bodies:
        del headers["content-type"]
        return StreamResponse(status=204, headers=headers | {"cache-control": _NOT_KEPT})
    return _tagged(source, request, after, page, headers | {"cache-control": _keeping(page)})


def _tagged(
    source: Source, request: ReadRequest, after: int, page: Page, headers: dict[str, str]
) -> StreamResponse:
    """With an entity tag; without what the reader has already."""
    end = f"{page.next_after}:c" if page.is_final else str(page.next_after)
    tag = f'"{source.id}:{after}:{end}"'
    headers["etag"] = tag
    if request.live is None and (tag in request.known or "*" in request.known):
        return StreamResponse(status=304, headers=headers)
    return _answer(200, headers, joined(source, page))


def _headers(source: Source, page: Page) -> dict[str, str]:
    headers = {"content-type": source.content_type}
    if page.up_to_date:
        headers["stream-up-to-date"] = "true"
    return headers | _position(source, page.next_after, is_final=page.is_final)


def _position(source: Source, position: int, *, is_final: bool) -> dict[str, str]:
    headers = {"stream-next-offset": source.offsets.of(position)}
    if is_final:
        headers["stream-closed"] = "true"
    return headers


def _keeping(page: Page) -> str:
    return _ASKED_AGAIN if page.up_to_date and not page.is_final else _KEPT


def _answer(status: int, headers: dict[str, str], body: bytes) -> StreamResponse:
    return StreamResponse(status=status, headers=headers, body=_once(body) if body else None)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
