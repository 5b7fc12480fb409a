"""Following an execution and its descendants live: the part of both clients that keeps connections to the consolidated stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing

import httpx2

from flowstrand.client import answers, call
from flowstrand.client.connection import Connection
from flowstrand.client.sender import Sender, SyncSender
from flowstrand.client.tree import TreeCursor, TreeEvent

_NO_CONTENT = 204


async def follow(
    sender: Sender, to: Connection, execution_id: str, cursor: TreeCursor
) -> AsyncGenerator[TreeEvent]:
    """See `Client.stream_tree`."""
    while not cursor.has_ended:
        broke: httpx2.TransportError | None = None
        try:
            async with aclosing(_connected(sender, to, execution_id, cursor)) as events:
                async for event in events:
                    yield event
        except httpx2.TransportError as error:
            broke = error
        if not cursor.has_ended:
            await asyncio.sleep(_pause(cursor, broke, to))


def follow_sync(sender: SyncSender, to: Connection, execution_id: str, cursor: TreeCursor) -> Generator[TreeEvent]:
    """The same, synchronously."""
    while not cursor.has_ended:
        broke: httpx2.TransportError | None = None
        try:
            with closing(_connected_sync(sender, to, execution_id, cursor)) as events:
                yield from events
        except httpx2.TransportError as error:
            broke = error
        if not cursor.has_ended:
            time.sleep(_pause(cursor, broke, to))


async def _connected(
    sender: Sender, to: Connection, execution_id: str, cursor: TreeCursor
) -> AsyncGenerator[TreeEvent]:
    """The events of one connection."""
    request = call.stream_tree(to, execution_id, after=cursor.after, format=cursor.format)
    response = await sender.send(request, is_stream=True)
    try:
        cursor.connected()
        if response.status_code == _NO_CONTENT:
            cursor.end()
            return
        async for frame in httpx2.EventSource(response, max_event_size=None):
            event = cursor.accept(frame)
            if event is not None:
                yield event
    finally:
        await response.aclose()


def _connected_sync(
    sender: SyncSender, to: Connection, execution_id: str, cursor: TreeCursor
) -> Generator[TreeEvent]:
    request = call.stream_tree(to, execution_id, after=cursor.after, format=cursor.format)
    response = sender.send(request, is_stream=True)
    try:
        cursor.connected()
        if response.status_code == _NO_CONTENT:
            cursor.end()
            return
        for frame in httpx2.EventSource(response, max_event_size=None):
            event = cursor.accept(frame)
            if event is not None:
                yield event
    finally:
        response.close()


def _pause(cursor: TreeCursor, broke: httpx2.TransportError | None, to: Connection) -> float:
    try:
        return cursor.pause_after(broke)
    except httpx2.TransportError as error:
        raise answers.unreachable(error, to.url) from error
