"""A shop that remembers what it saw of its visitors, and whose page tells what it sees of them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self

from tests.browser.loopback import LoopbackServer

USER, PASSWORD = "keeper", "open sesame"
CHALLENGE = b"HTTP/1.1 401 X\r\nwww-authenticate: Basic realm=shop\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

PAGE = """<!doctype html><meta name=viewport content="width=device-width"><h1>seen</h1>
<script src="/script.js"></script><script src="http://localhost:PORT/tracker.js"></script>
<script>fetch("/api").then(() => fetch("http://localhost:PORT/other")).catch(() => null)
  .finally(() => { document.title = "done"; });</script>"""

SEEN = """async (asksPlace) => {
  await new Promise((resolve) => {
    const look = () => document.title === "done" ? resolve() : setTimeout(look, 20);
    look();
  });
  const place = asksPlace && await new Promise((resolve) => navigator.geolocation.getCurrentPosition(
    (found) => resolve([found.coords.latitude, found.coords.longitude]), () => resolve(null), {timeout: 2000}));
  const hints = await navigator.userAgentData.getHighEntropyValues(["model", "platformVersion", "fullVersionList"]);
  return {
    agent: navigator.userAgent, languages: navigator.languages, platform: navigator.platform,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone, locale: Intl.DateTimeFormat().resolvedOptions().locale,
    place, scale: devicePixelRatio, width: innerWidth, height: innerHeight, screen: [screen.width, screen.height],
    orientation: screen.orientation.type, touch: navigator.maxTouchPoints > 0,
    finger: matchMedia("(pointer: coarse)").matches,
    hints: {mobile: hints.mobile, platform: hints.platform, version: hints.platformVersion, model: hints.model,
            brands: hints.brands.map((one) => one.brand + " " + one.version)},
    stored: {...localStorage}, cookies: document.cookie,
  };
}"""


@dataclass(frozen=True)
class Request:
    """One request as it came in; header names are in small letters."""

    host: str
    path: str
    headers: dict[str, str]

    @property
    def cookies(self) -> dict[str, str]:
        """By name."""
        pairs = (part.partition("=") for part in self.headers.get("cookie", "").split("; ") if part)
        return {name: value for name, _, value in pairs}


@dataclass
class SeeingShop:
    """Answers every path with the page, scripts and JSON with something empty; `/locked` wants a password."""

    port: int = 0
    scheme: str = "http"
    page: str = PAGE
    requests: list[Request] = field(default_factory=list)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, tls: ssl.SSLContext | None = None) -> AsyncIterator[Self]:
        """A shop on a free port of 127.0.0.1, which is `localhost` too."""
        shop = cls(scheme="http" if tls is None else "https")
        server = LoopbackServer(shop._serve, tls=tls)
        shop.port = await server.start()
        try:
            yield shop
        finally:
            await server.close()

    def at(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """The whole address of a path."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    def last(self, path: str) -> Request:
        """The latest request for a path."""
        return next(request for request in reversed(self.requests) if request.path == path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
            headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines[1:])}
            path = lines[0].split(" ")[1].partition("?")[0]
            self.requests.append(Request(headers.get("host", "").rpartition(":")[0], path, headers))
            key = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if path == "/locked" and headers.get("authorization") != f"Basic {key}":
                writer.write(CHALLENGE)
            else:
                kind = (
                    "text/javascript" if path.endswith(".js") else "application/json" if path == "/api" else "text/html"
                )
                body = (self.page.replace("PORT", str(self.port)) if kind == "text/html" else "0").encode()
                head = f"HTTP/1.1 200 X\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
                head += "cache-control: max-age=3600\r\n" if path == "/cached.js" else ""
                writer.write(head.encode() + b"access-control-allow-origin: *\r\nconnection: close\r\n\r\n" + body)
            await writer.drain()
        writer.close()
