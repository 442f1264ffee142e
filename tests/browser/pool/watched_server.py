"""A server on loopback that remembers which host names it was reached by."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self

from tests.browser.loopback import LoopbackServer

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Reply:
    """What the server answers; an endless one goes on until the browser hangs up."""

    body: bytes = b""
    kind: str = HTML
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    endless: bool = False


def html(body: str) -> Reply:
    """A page."""
    return Reply(f"<!doctype html><title>shop</title><body>{body}</body>".encode())


def script(code: str) -> Reply:
    """A page that runs a script."""
    return html(f"<script>{code}</script>")


def moved(to: str) -> Reply:
    """A redirect."""
    return Reply(status=302, headers=(("location", to),))


@dataclass
class WatchedServer:
    """Serves `replies` by path, the query not counted, under every name of loopback; 404 for anything else."""

    port: int = 0
    replies: dict[str, Reply] = field(default_factory=dict)
    contacts: list[tuple[str, str]] = field(default_factory=list)
    """Host name and path of every request."""
    hung_up: int = 0
    """How many endless answers the browser broke off."""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """A server on a free port of 127.0.0.1, which `localhost` is too, and of 127.0.0.2."""
        watched = cls()
        server = LoopbackServer(watched._serve, ("127.0.0.1", "127.0.0.2"))
        watched.port = await server.start()
        try:
            yield watched
        finally:
            await server.close()

    def at(self, host: str, path: str = "/") -> str:
        """The whole URL of a path at a host name."""
        return f"http://{host}:{self.port}{path}"

    def shop(self, path: str = "/") -> str:
        """The whole URL of a path at the host that platforms list."""
        return self.at("127.0.0.1", path)

    def elsewhere(self, path: str = "/elsewhere") -> str:
        """The whole URL of a path at a host that platforms do not list."""
        return self.at("localhost", path)

    def hosts(self) -> set[str]:
        """The names that the server was reached by."""
        return {host for host, _path in self.contacts}

    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [path for _host, path in self.contacts]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1].partition("?")[0]
            host = next(line[6:] for line in head.splitlines() if line.lower().startswith("host: "))
            self.contacts.append((host.rpartition(":")[0], path))
            await self._send(self.replies.get(path, Reply(status=404)), writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the browser has gone
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        length = () if reply.endless else (("content-length", str(len(reply.body))),)
        headers = (("content-type", reply.kind), ("connection", "close"), *reply.headers, *length)
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers), "", ""]
        writer.write("\r\n".join(lines).encode())
        writer.write(reply.body)
        try:
            await writer.drain()
            while reply.endless:
                await asyncio.sleep(0.01)
                writer.write(reply.body)
                await writer.drain()
        except OSError:
            self.hung_up += reply.endless
            raise
