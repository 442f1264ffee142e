"""Whole answers of the shop, and how they are sent.

Owns the step from an answer to ASGI messages. Callers decide what an answer says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from starlette.types import Send

HTML = b"text/html; charset=utf-8"
JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete answer. `headers` are added to content type, content length and cache control."""

    status: int
    content_type: bytes
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    cache_control: bytes = b"no-store"

    @classmethod
    def redirect(cls, location: str) -> Self:
        """A 302 to that address."""
        return cls(302, TEXT, b"", ((b"location", location.encode("ascii")),))

    def start(self) -> dict[str, object]:
        """The ASGI message that starts this answer."""
        headers = [
            (b"content-type", self.content_type),
            (b"content-length", str(len(self.body)).encode()),
            (b"cache-control", self.cache_control),
            *self.headers,
        ]
        return {"type": "http.response.start", "status": self.status, "headers": headers}

    async def send(self, send: Send) -> None:
        """Sends the whole answer."""
        await send(self.start())
        await send({"type": "http.response.body", "body": self.body})


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a request that the shop uses. `elsewhere_url` is a page of the same shop under another host name."""

    method: str
    path: str
    url: str
    """Path and query as the client sent them."""
    query: Mapping[str, str] = field(default_factory=dict)
    elsewhere_url: str = ""
