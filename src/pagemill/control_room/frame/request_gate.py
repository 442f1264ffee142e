"""Checks every request before a route is chosen: its host name, and the size and time of its body.

Plain ASGI middleware. FastAPI's own limit answers some bodies in plain text, and has no deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pagemill.control_room.frame.access import AccessRules
from pagemill.control_room.frame.envelope import error_answer
from pagemill.errors import AccessRefused

BODY_MAX_BYTES = 64 * 1024
BODY_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The largest size of a body, and the time for its arrival from the first read on."""

    max_bytes: int = BODY_MAX_BYTES
    timeout_s: float = BODY_TIMEOUT_S


LargerBodies = Mapping[tuple[str, str], BodyLimit]
"""The limits of larger bodies by method and path. Routes must read such a body in chunks."""


class RequestGate:
    """Passes requests on, or answers them itself."""

    def __init__(
        self,
        app: ASGIApp,
        rules: AccessRules,
        body_timeout_s: float = BODY_TIMEOUT_S,
        larger: LargerBodies | None = None,
    ) -> None:
        """
        Args:
            app: the application behind the gate.
            rules: say which host names are valid.
            body_timeout_s: the time for a body's arrival, from the first read on.
            larger: routes whose bodies may be larger and take longer.
        """
        self._app = app
        self._rules = rules
        self._usual = BodyLimit(timeout_s=body_timeout_s)
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._rules.check_host(HTTPConnection(scope))
        except AccessRefused as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})  # a 403, as it is not accepted yet
                return
            answer = error_answer(error.status, error.code, str(error), self._rules.clock())
            await answer(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get((scope.get("method", ""), scope.get("path", "")), self._usual)
        if _declared_bytes(scope) > limit.max_bytes:
            answer = error_answer(413, "too_large", too_large(limit.max_bytes).detail, self._rules.clock())
            await answer(scope, receive, send)
        else:
            await self._app(scope, _Body(receive, limit).receive, send)


class _Body:
    """Limits the body of one request while it is read."""

    def __init__(self, receive: Receive, limit: BodyLimit) -> None:
        self._receive = receive
        self._limit = limit
        self._deadline_s: float | None = None
        self._bytes = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next message. After the body only a disconnect can come, so there is no deadline then."""
        if self._complete:
            return await self._receive()
        if self._deadline_s is None:
            self._deadline_s = asyncio.get_running_loop().time() + self._limit.timeout_s
        try:
            async with asyncio.timeout_at(self._deadline_s):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, f"timeout: the body took longer than {self._limit.timeout_s:g} s") from None
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._bytes > self._limit.max_bytes:
            raise too_large(self._limit.max_bytes)
        return message


def too_large(max_bytes: int) -> HTTPException:
    """The error for a body larger than that."""
    kib = max_bytes // 1024
    return HTTPException(
        413, f"the body has more than {f'{kib // 1024} MB' if kib >= 1024 else f'{kib} KB'}: send less"
    )


def _declared_bytes(scope: Scope) -> int:
    said = Headers(scope=scope).get("content-length", "")
    return int(said[:20]) if said.isascii() and said.isdecimal() else 0
