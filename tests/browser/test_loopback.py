"""The server that tests run on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket

import pytest

from tests.browser.loopback import LoopbackServer


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.readexactly(1))
    await reader.read()


@pytest.mark.parametrize("turns", range(5))
async def test_the_end_closes_a_connection_whatever_it_has_come_to(turns: int) -> None:
    """Not accepted, accepted, begun, served: the other side sees the end, and no socket is left open."""
    server = LoopbackServer(_echo)
    with socket.create_connection(("127.0.0.1", await server.start()), timeout=10) as client:
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.close()
        client.setblocking(False)
        with contextlib.suppress(ConnectionResetError):  # an end, too
            async with asyncio.timeout(10):
                assert await asyncio.get_running_loop().sock_recv(client, 1) == b""
    gc.collect()  # which would tell of it
