"""A real SOCKS5 proxy (RFC 1928), which asks for no password, or for one that nobody can have."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Self

from pagemill.config.visitor.secrets import ProxyAddress
from tests.browser.loopback import LoopbackServer
from tests.browser.visitor.signing_proxy import pass_on

_FREE, _PASSWORD, _NONE_FITS = 0, 2, 255
_ADDRESS, _NAME = 1, 3


class SocksProxy:
    """Passes connections through."""

    def __init__(self) -> None:
        self.port = 0
        self.wants_password = False
        self.names: dict[str, str] = {}
        """Hosts that nobody else knows."""
        self.passed: list[str] = []
        """Hosts and ports of what was let through."""
        self.offered: list[bytes] = []
        """The kinds of sign-in that each connection has offered."""
        self._server = LoopbackServer(self._serve)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """One on a free port of 127.0.0.1."""
        proxy = cls()
        proxy.port = await proxy._server.start()
        try:
            yield proxy
        finally:
            await proxy.die()

    async def die(self) -> None:
        """Ends at once, with every connection that is open."""
        await self._server.close()

    @property
    def address(self) -> ProxyAddress:
        """As the configuration has it."""
        return ProxyAddress.parse(f"socks5://127.0.0.1:{self.port}")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if await self._lets_in(reader, writer):
                    await self._connect(reader, writer)
        finally:
            writer.transport.abort()

    async def _lets_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _version, count = await reader.readexactly(2)
        offered = await reader.readexactly(count)
        self.offered.append(offered)
        wanted = _PASSWORD if self.wants_password else _FREE
        writer.write(bytes([5, wanted if wanted in offered else _NONE_FITS]))
        await writer.drain()
        return wanted in offered

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _version, _command, _zero, kind = await reader.readexactly(4)
        if kind == _NAME:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            assert kind == _ADDRESS
            host = socket.inet_ntoa(await reader.readexactly(4))
        port = int.from_bytes(await reader.readexactly(2))
        self.passed.append(f"{host}:{port}")
        shop_reader, shop_writer = await asyncio.open_connection(self.names.get(host, host), port)
        try:
            writer.write(bytes([5, 0, 0, _ADDRESS, 0, 0, 0, 0, 0, 0]))
            await asyncio.gather(pass_on(reader, shop_writer), pass_on(shop_reader, writer))
        finally:
            shop_writer.transport.abort()
