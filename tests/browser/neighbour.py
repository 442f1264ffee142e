"""Whoever lives beside the shop: writes down all that reaches it over TCP and UDP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self

from tests.browser.loopback import LoopbackServer

_ANSWER = (
    b"HTTP/1.1 200 X\r\naccess-control-allow-origin: *\r\ncontent-type: text/javascript\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


@dataclass
class Neighbour:
    """Answers any HTTP request. `heard` has the path of each, and of anything else how it came and how it began."""

    host: str
    port: int = 0
    name: str = ""
    """By which pages know it, where not by its address."""
    heard: list[str] = field(default_factory=list)

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, host: str) -> AsyncIterator[Self]:
        """A neighbour at a free port, the same one for TCP and UDP."""
        neighbour = cls(host)
        server = LoopbackServer(neighbour._serve, (host,))
        neighbour.port = await server.start()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(neighbour.heard), local_addr=(host, neighbour.port)
        )
        try:
            yield neighbour
        finally:
            transport.close()
            await server.close()

    @property
    def place(self) -> str:
        """Host and port, as URLs have them."""
        return f"{self.name or self.host}:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if first := await reader.read(4096):
                words = first.decode("latin-1").split(" ", 2)
                is_http = len(words) == 3 and words[2].startswith("HTTP/")
                self.heard.append(words[1] if is_http else f"tcp {first[:4].hex()}")
                writer.write(_ANSWER)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, heard: list[str]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, _addr: object) -> None:
        self._heard.append(f"udp {data[:4].hex()}")
