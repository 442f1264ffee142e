"""Asks an ASGI application in this process, without sockets and without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Answer:
    """What came back; `complete` is false when the application left in mid-body, `status` 0 when it sent nothing."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


async def ask(
    app: ASGIApp,
    url: str,
    *,
    method: str = "GET",
    host: str = "127.0.0.1:8900",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    leave: asyncio.Event | None = None,
) -> Answer:
    """One request. With `leave`, the client stays connected until that is set; else it leaves after asking."""
    sent: list[Message] = []
    requested = False

    async def receive() -> Message:
        nonlocal requested
        if not requested:
            requested = True
            return {"type": "http.request", "body": body, "more_body": False}
        if leave is not None:
            await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    parts = urlsplit(url)
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [
            (b"host", host.encode()),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()),
        ],
        "server": ("127.0.0.1", 8900),
    }
    await app(scope, receive, send)
    if not sent:
        return Answer(0, {}, b"", complete=False)
    received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    whole = b"".join(message["body"] for message in sent[1:])
    return Answer(sent[0]["status"], received, whole, complete=not sent[-1].get("more_body", False))
