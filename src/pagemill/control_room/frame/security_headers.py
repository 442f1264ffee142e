"""Adds security headers to every answer: what a browser may do with it, and that nobody may cache it.

Plain ASGI middleware, so that streamed answers are not buffered.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # plotly sets styles on elements
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)

_ALWAYS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_ONLY_ENCRYPTED = "max-age=31536000"
_NOT_KEPT = ("api", "memory")


class SecurityHeaders:
    """Adds the headers and replaces the route's own. Only a route's content policy stays, beside ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own_policy = headers.get("Content-Security-Policy")
                for name, value in _ALWAYS.items():
                    headers[name] = value
                if own_policy:
                    headers["Content-Security-Policy"] = f"{own_policy}, {CONTENT_POLICY}"
                if scope["path"].split("/", 2)[1:2] in ([part] for part in _NOT_KEPT):
                    headers["Cache-Control"] = "no-store"
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = _ONLY_ENCRYPTED
            await send(message)

        await self._app(scope, receive, send_shielded)
