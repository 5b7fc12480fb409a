"""`client.channels`: make, append to, read and follow channels, asynchronously and synchronously."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Unpack

import httpx2

from flowstrand.client import channel_calls
from flowstrand.client.call import Call
from flowstrand.client.channel import BEGINNING, ChannelInfo, ChannelPage, offset_of
from flowstrand.client.channel_calls import AppendOptions, ChannelOptions
from flowstrand.client.connection import Connection
from flowstrand.jsonvalue import JsonValue


class Channels:
    """The channels of an org. Offsets are to be kept and given back as they are; they sort as text."""

    def __init__(self, to: Connection, send: Callable[[Call], Awaitable[httpx2.Response]]) -> None:
        """`send` gives the answer to a request."""
        self._to = to
        self._send = send

    async def create(self, name: str, **options: Unpack[ChannelOptions]) -> ChannelInfo:
        """Make a channel, or find the one that was made the same way.

        Raises:
            Conflict: there is one that was made otherwise (`CHANNEL_EXISTS`).
            InvalidInput: the name or an option does not fit.
        """
        return ChannelInfo.of(name, await self._send(channel_calls.create(self._to, name, **options)))

    async def append(self, name: str, *messages: JsonValue, **options: Unpack[AppendOptions]) -> str:
        """Append JSON messages, all of them or none; returns the offset behind them.

        Raises:
            NotFound: there is no such channel (`CHANNEL_NOT_FOUND`).
            Conflict: it is closed (`CHANNEL_CLOSED`), or no JSON, or `seq` or the producer's sequence does not fit.
            WrongPrincipal: a producer of a higher epoch has taken over (`STALE_EPOCH`).
        """
        return offset_of(await self._send(channel_calls.messages(self._to, name, messages, **options)))

    async def append_bytes(
        self, name: str, content: bytes, content_type: str, **options: Unpack[AppendOptions]
    ) -> str:
        """The same of bytes of the channel's type."""
        return offset_of(await self._send(channel_calls.append(self._to, name, content, content_type, **options)))

    async def close(self, name: str, **options: Unpack[AppendOptions]) -> str:
        """Let nothing follow; returns the offset where it ends. Repeating it changes nothing."""
        options["closes"] = True
        return offset_of(await self._send(channel_calls.append(self._to, name, b"", None, **options)))

    async def get(self, name: str) -> ChannelInfo:
        """Where a channel stands."""
        return ChannelInfo.of(name, await self._send(channel_calls.find(self._to, name)))

    async def read(self, name: str, offset: str = BEGINNING) -> ChannelPage:
        """What follows `offset`, as much as fits into one answer.

        Raises:
            NotFound: there is no such channel.
            Gone: the offset is of a channel that was here before (`CURSOR_EXPIRED`).
        """
        return ChannelPage.of(await self._send(channel_calls.read(self._to, name, offset)))

    async def follow(self, name: str, offset: str = BEGINNING) -> AsyncGenerator[ChannelPage]:
        """What follows `offset` and whatever comes, page by page, until the channel is closed. No page is empty."""
        page: ChannelPage | None = None
        while page is None or not page.is_closed:
            page = ChannelPage.of(await self._send(channel_calls.follow(self._to, name, offset, page)))
            offset = page.offset
            if page.content:
                yield page

    async def delete(self, name: str) -> None:
        """Remove a channel and what is in it.

        Raises:
            NotFound: there is no such channel.
        """
        await self._send(channel_calls.delete(self._to, name))


class SyncChannels:
    """`Channels`, synchronously."""

    def __init__(self, to: Connection, send: Callable[[Call], httpx2.Response]) -> None:
        """`send` gives the answer to a request."""
        self._to = to
        self._send = send

    def create(self, name: str, **options: Unpack[ChannelOptions]) -> ChannelInfo:
        """See `Channels.create`."""
        return ChannelInfo.of(name, self._send(channel_calls.create(self._to, name, **options)))

    def append(self, name: str, *messages: JsonValue, **options: Unpack[AppendOptions]) -> str:
        """See `Channels.append`."""
        return offset_of(self._send(channel_calls.messages(self._to, name, messages, **options)))

    def append_bytes(self, name: str, content: bytes, content_type: str, **options: Unpack[AppendOptions]) -> str:
        """See `Channels.append_bytes`."""
        return offset_of(self._send(channel_calls.append(self._to, name, content, content_type, **options)))

    def close(self, name: str, **options: Unpack[AppendOptions]) -> str:
        """See `Channels.close`."""
        options["closes"] = True
        return offset_of(self._send(channel_calls.append(self._to, name, b"", None, **options)))

    def get(self, name: str) -> ChannelInfo:
        """See `Channels.get`."""
        return ChannelInfo.of(name, self._send(channel_calls.find(self._to, name)))

    def read(self, name: str, offset: str = BEGINNING) -> ChannelPage:
        """See `Channels.read`."""
        return ChannelPage.of(self._send(channel_calls.read(self._to, name, offset)))

    def follow(self, name: str, offset: str = BEGINNING) -> Generator[ChannelPage]:
        """See `Channels.follow`."""
        page: ChannelPage | None = None
        while page is None or not page.is_closed:
            page = ChannelPage.of(self._send(channel_calls.follow(self._to, name, offset, page)))
            offset = page.offset
            if page.content:
                yield page

    def delete(self, name: str) -> None:
        """See `Channels.delete`."""
        self._send(channel_calls.delete(self._to, name))
