"""Asks an API in this process as a client would: headers, cookies and bodies in, the whole answer out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.types import Message

from pagemill.control_room.frame.access import AccessRules, Changer, Reader
from pagemill.control_room.frame.application import framed_application
from pagemill.control_room.frame.envelope import ApiError, Envelope, Now, sealed
from pagemill.control_room.frame.loopback_peer import IS_OWN
from pagemill.control_room.frame.roles import Role
from pagemill.control_room.frame.tokens import issue
from pagemill.errors import RedisUnavailable

SECRET = "sixty-four-characters-that-nobody-else-has-seen-or-will-ever-see"
STATE = {IS_OWN: lambda: True}
"""Of a connection as the server makes it for a process of this user."""
START = datetime(2024, 1, 20, 10, 30, 0, 250_000, UTC)


class Clock:
    """A time of day and monotonic seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def monotonic_s(self) -> float:
        return (self.now - START).total_seconds()

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    raw_headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.raw_headers)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The word of an error, which must be in its envelope."""
        assert set(self.json) == {"success", "error", "timestamp"}
        assert self.json["success"] is False
        assert set(self.json["error"]) == {"code", "message"}
        return str(self.json["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])

    @property
    def cookie(self) -> Any:
        """What the answer does to the login cookie."""
        return SimpleCookie(self.headers["set-cookie"])["pagemill_token"]


@dataclass
class Client:
    """A client of one API. What `headers` holds goes along with every request; so does the cookie."""

    app: FastAPI
    clock: Clock
    scheme: str = "http"
    address: str = "198.51.100.7"
    headers: dict[str, str] = field(default_factory=lambda: {"host": "localhost:8003"})

    def token(self, role: Role = Role.ADMIN, expires_s: float = 3600) -> str:
        return issue(SECRET, role, expires_s, self.clock.now, "kim")

    def get(self, url: str, **headers: str | None) -> Reply:
        return self.ask("GET", url, headers)

    def post(self, url: str, body: object = None, **headers: str | None) -> Reply:
        return self.ask("POST", url, headers, body)

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str | None] | None = None,
        body: object = None,
        chunks: Sequence[bytes] | None = None,
    ) -> Reply:
        """One request; `body` is JSON unless it is bytes, `chunks` come one by one without a length."""
        given = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        wanted: dict[str, str | None] = dict(self.headers)
        if body is not None or chunks is not None:
            wanted["content-type"] = "application/json"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if chunks is None and content:
            wanted["content-length"] = str(len(content))
        wanted |= given
        sent = [(name.encode(), value.encode("latin-1")) for name, value in wanted.items() if value is not None]
        return asyncio.run(self._ask(method, url, sent, list(chunks or [content])))

    async def _ask(self, method: str, url: str, headers: list[tuple[bytes, bytes]], chunks: list[bytes]) -> Reply:
        parts = urlsplit(url)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "root_path": "",
            "query_string": parts.query.encode(),
            "headers": headers,
            "client": (self.address, 50_000),
            "server": ("127.0.0.1", 8003),
            "state": STATE,
        }
        said: list[Message] = []

        async def receive() -> Message:
            if not chunks:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

        async def send(message: Message) -> None:
            said.append(message)

        await self.app(scope, receive, send)
        raw = tuple((name.decode(), value.decode("latin-1")) for name, value in said[0]["headers"])
        return Reply(said[0]["status"], raw, b"".join(message.get("body", b"") for message in said[1:]))


class Wish(BaseModel):
    """What the practice route takes."""

    lanes: int = Field(ge=1, le=10)


def client_of(secret: str = SECRET, root_path: str = "") -> Client:
    """A client of an API with one route of each kind."""
    clock = Clock()
    app = framed_application(
        AccessRules(secret, clock), "pagemill", "1.2.3", now_s=clock.monotonic_s, root_path=root_path
    )

    @app.get("/api/lanes")
    async def show(access: Reader, now: Now) -> Envelope[str]:
        return sealed(access.role.value, now)

    @app.put("/api/lanes")
    async def change(access: Changer, wish: Wish, now: Now) -> Envelope[int]:
        return sealed(wish.lanes, now)

    @app.post("/memory/cleanup")
    async def clean(access: Changer, now: Now) -> Envelope[str]:
        return sealed(access.subject, now)

    @app.get("/health")
    async def health(now: Now, depth: int = 1) -> Envelope[int]:
        return sealed(depth, now)

    @app.get("/api/broken")
    async def broken(access: Reader) -> None:
        raise ValueError("the shelf fell down")

    @app.get("/api/away")
    async def away() -> None:
        raise RedisUnavailable("Redis does not answer: start it")

    @app.get("/api/taken")
    async def taken() -> None:
        raise ApiError(409, "already_running", "a cleanup is running: wait for it")

    return Client(app, clock)
