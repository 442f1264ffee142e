"""A real HTTP proxy that wants a password, for http addresses and for tunnels; over TLS, if told. It can die at any
moment.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Self
from urllib.parse import urlsplit

from pagemill.config.visitor.secrets import ProxyAddress
from tests.browser.loopback import LoopbackServer

DENIED = b'HTTP/1.1 407 X\r\nproxy-authenticate: Basic realm="x"\r\ncontent-length: 0\r\n\r\n'


class SigningProxy:
    """Adds `via: NAME` to what passes through it."""

    def __init__(self, name: str, password: str, tls: ssl.SSLContext | None = None) -> None:
        self.name = name
        self._scheme = "http" if tls is None else "https"
        self.port = 0
        self.password = password
        self.names: dict[str, str] = {}
        """Hosts that nobody else knows."""
        self.passed: list[str] = []
        """Targets of what was let through."""
        self.denied = 0
        self._server = LoopbackServer(self._serve, tls=tls)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, name: str, password: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Self]:
        """One on a free port of 127.0.0.1."""
        proxy = cls(name, password, tls)
        await proxy.start()
        try:
            yield proxy
        finally:
            await proxy.die()

    async def start(self) -> None:
        """Begins, or begins again at the same port."""
        self.port = await self._server.start()

    async def die(self) -> None:
        """Ends at once, with every connection that is open."""
        await self._server.close()

    @property
    def url(self) -> str:
        """As a variable holds it."""
        return f"{self._scheme}://user-{self.name}:{self.password}@127.0.0.1:{self.port}"

    @property
    def address(self) -> ProxyAddress:
        """As the configuration has it."""
        return ProxyAddress.parse(self.url)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while await self._answer(reader, writer):
                    pass
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether another request may follow."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        method, target, _ = lines[0].split(" ", 2)
        key = base64.b64encode(f"user-{self.name}:{self.password}".encode()).decode()
        if f"proxy-authorization: basic {key}".lower() not in [line.lower() for line in lines]:
            self.denied += 1
            writer.write(DENIED)
            await writer.drain()
            return True
        self.passed.append(target)
        parts = urlsplit(target if "://" in target else f"//{target}")
        host = self.names.get(parts.hostname or "", parts.hostname)
        shop_reader, shop_writer = await asyncio.open_connection(host, parts.port or 80)
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 X\r\n\r\n")
                await asyncio.gather(pass_on(reader, shop_writer), pass_on(shop_reader, writer))
                return False
            kept = [line for line in lines[1:] if line and not line.lower().startswith(("proxy-", "connection:"))]
            path = target[target.index("/", target.index("://") + 3) :]
            head = [f"{method} {path} HTTP/1.1", *kept, f"via: 1.1 {self.name}", "connection: close", "", ""]
            shop_writer.write("\r\n".join(head).encode("latin-1"))
            writer.write(await shop_reader.read(-1))
            await writer.drain()
            return False
        finally:
            shop_writer.transport.abort()


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything from one connection to another, up to its end."""
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()
