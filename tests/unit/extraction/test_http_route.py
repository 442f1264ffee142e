"""A connection that has led to a private address is closed before anything is sent over it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from pagemill.config.hosts import HostRules
from pagemill.errors import VisitRefused
from pagemill.extraction.http_route import Trace, connection_check


@pytest.mark.parametrize(
    ("hosts", "refused"),
    [(["shop.test"], True), (["shop.test", "127.0.0.1"], False), (["shop.test", "127.0.0.0/8"], False)],
)
async def test_where_a_connection_leads_is_looked_at(hosts: list[str], refused: bool) -> None:
    """By the address that it has: names may say what they like."""
    heard: list[bytes] = []
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))
        writer.write(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n")
        writer.close()
        closed.set()

    async with await asyncio.start_server(serve, "127.0.0.1") as server, httpx.AsyncClient(trust_env=False) as client:
        port = server.sockets[0].getsockname()[1]
        trace = Trace()
        trace.check = connection_check(HostRules(hosts), f"http://shop.test:{port}/p")
        asking = client.get(f"http://127.0.0.1:{port}/p", extensions={"trace": trace.hear})
        if refused:
            with pytest.raises(VisitRefused, match=r"shop\.test resolves to the private address 127\.0\.0\.1: list it"):
                await asking
        else:
            assert (await asking).status_code == 204
        async with asyncio.timeout(5):
            await closed.wait()
    assert (heard == [b""]) is refused
