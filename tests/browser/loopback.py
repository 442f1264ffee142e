"""A server on loopback, closed with every connection that is still open."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class LoopbackServer:
    """Has one coroutine serve each connection. It may be started again at its port."""

    def __init__(
        self, serve: Serve, hosts: tuple[str, ...] = ("127.0.0.1",), tls: ssl.SSLContext | None = None
    ) -> None:
        self._serve = serve
        self._hosts = hosts
        self._tls = tls
        self._servers: list[asyncio.Server] = []
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> int:
        """Listens on a port that is free, the same for every host; its number."""
        for host in self._hosts:
            server = await asyncio.start_server(self._connected, host, self.port, ssl=self._tls)
            self.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)
        return self.port

    async def close(self) -> None:
        """Ends at once."""
        loop = asyncio.get_running_loop()
        for server in self._servers:
            for listening in server.sockets:
                loop.remove_reader(listening.fileno())
        await asyncio.sleep(0)  # a connection that is accepted, but not begun, would be lost in a closed server
        for server in self._servers:
            server.close()
        self._servers.clear()
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._servers:  # it was accepted just before the end
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(lambda done: self._ended(done, writer))

    def _ended(self, task: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        self._serving.discard(task)
        if task.cancelled():  # perhaps before it began
            writer.transport.abort()
