"""`Bearer`: puts the credential of a connection on every request; one that has to be renewed is asked for each time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TypeAlias

import httpx2

TokenSource: TypeAlias = Callable[[], str]
"""Gives a bearer token that is good now. May block, so a source has to keep what it has got; called from any thread."""


class Bearer(httpx2.Auth):
    """The `Authorization` header of a key, or of what a source gives."""

    def __init__(self, credential: str | TokenSource) -> None:
        self._credential = credential

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """See `httpx2.Auth`."""
        credential = self._credential
        yield _with(request, credential if isinstance(credential, str) else credential())

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """See `httpx2.Auth`. A source is asked in a thread."""
        credential = self._credential
        yield _with(request, credential if isinstance(credential, str) else await asyncio.to_thread(credential))


def _with(request: httpx2.Request, token: str) -> httpx2.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request
