"""The local server's connections: what is written to one leaves at once."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import pytest

from flowstrand.errors import ConfigurationError
from flowstrand.local.server import _listening_socket


@pytest.mark.anyio
async def test_the_body_of_an_answer_does_not_wait_for_the_acknowledgement_of_its_head() -> None:
    accepted: asyncio.Queue[bool] = asyncio.Queue()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        await accepted.put(bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
        writer.close()

    listener = _listening_socket("127.0.0.1", 0)
    async with await asyncio.start_server(serve, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await asyncio.wait_for(accepted.get(), 10)
        writer.close()


def test_a_port_that_is_taken_is_refused_by_its_name() -> None:
    with closing(_listening_socket("127.0.0.1", 0)) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            _listening_socket("127.0.0.1", port)
