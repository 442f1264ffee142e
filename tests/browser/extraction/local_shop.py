"""A tiny shop on loopback, and the words in which the tests of extraction talk about it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from pagemill.config.platform import Platform
from pagemill.extraction.strategy import Visit
from pagemill.model import Product
from tests.browser.loopback import LoopbackServer


@dataclass(frozen=True)
class Reply:
    """What the shop answers; each of `pieces` is sent `pause_s` after the one before."""

    pieces: Iterable[bytes] = (b"",)
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/html; charset=utf-8"),)
    pause_s: float = 0.0
    delay_s: float = 0.0
    has_length: bool = True


def html(*pieces: str, **how: Any) -> Reply:
    """A page, sent in one or several pieces."""
    return Reply(tuple(piece.encode() for piece in pieces), **how)


def answer(value: Any, **how: Any) -> Reply:
    """A JSON answer."""
    how.setdefault("headers", (("content-type", "application/json"),))
    return Reply((json.dumps(value).encode(),), **how)


@dataclass
class LocalShop:
    """Serves `replies` by path, the query not counted; 404 for anything else."""

    base: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    """Of what was asked, in the same order."""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """A shop on a free port, closed with every connection that is still open."""
        shop = cls()
        server = LoopbackServer(shop._serve)
        shop.base = f"http://127.0.0.1:{await server.start()}"
        try:
            yield shop
        finally:
            await server.close()

    def url(self, path: str) -> str:
        """The whole URL of a path."""
        return self.base + path

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = head.decode("latin-1").split(" ", 2)
            self.asked.append(path)
            self.methods.append(method)
            await self._send(self.replies.get(path.partition("?")[0], html("", status=404)), writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the browser has gone, or has more cookies than any shop takes
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(reply.delay_s)
        headers = [*reply.headers, ("connection", "close")]
        if reply.has_length:
            headers.append(("content-length", str(sum(map(len, reply.pieces)))))
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers), "", ""]
        writer.write("\r\n".join(lines).encode())
        for piece in reply.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(reply.pause_s)


def platform(fields: dict[str, Any], judge: dict[str, Any] | None = None, **extract: Any) -> Platform:
    """A platform of the local shop."""
    return Platform.model_validate(
        {"platform": "local", "hosts": ["127.0.0.1"], "extract": {"fields": fields, **extract}, "judge": judge or {}}
    )


def visit(shop: LocalShop, path: str = "/", timeout_s: float = 10.0, **expected: Any) -> Visit:
    """A visit of one page of the shop."""
    return Visit(shop.url(path), Product("1", shop.url(path), expected), timeout_s)


async def shown(page: Page, url: str) -> None:
    """Returns when the page's document is the one of that URL."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(PlaywrightError):  # the one before has just gone
                if await page.evaluate("location.href") == url:
                    return
            await asyncio.sleep(0.01)


def listeners(page: Page) -> int:
    """How many listeners a page has that strategies could have left."""
    emitter: Any = page._impl_obj
    return sum(emitter.listener_count(name) for name in ("response", "request", "framenavigated", "download"))
