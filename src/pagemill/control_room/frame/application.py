"""The application that routes are added to with `include_router`: everything that they share, but none of them.

Its layers from outside to inside: `SecurityHeaders` (headers), `Unexpected` (the 500), `RequestGate` (host and body),
routes with their errors. The server must not send its own `Server` header; uvicorn needs `server_header=False` for
that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from pagemill.control_room.frame import docs_page, login
from pagemill.control_room.frame.access import AccessRules
from pagemill.control_room.frame.documented_failures import document_failures
from pagemill.control_room.frame.failures import Unexpected, install_failures
from pagemill.control_room.frame.login import FailedLogins
from pagemill.control_room.frame.request_gate import LargerBodies, RequestGate
from pagemill.control_room.frame.security_headers import SecurityHeaders


class _Frame(FastAPI):
    """A FastAPI application whose OpenAPI document also has the answers of the frame itself.

    The path may arrive with the proxy's prefix or without it; the routes see it without.
    """

    below = ""
    """The path under which a proxy serves the API."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.below and scope["type"] in ("http", "websocket"):
            path = scope["path"]
            if path == self.below or path.startswith(f"{self.below}/"):
                path = path.removeprefix(self.below) or "/"
            scope = {**scope, "path": path, "root_path": self.below}
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document_failures(document)
        return document


def framed_application(
    rules: AccessRules,
    title: str,
    version: str,
    *,
    larger_bodies: LargerBodies | None = None,
    root_path: str = "",
    now_s: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """An API with login and logout, documentation at `/docs` and `/openapi.json`, and these access rules.

    Args:
        rules: who may do what. Routes get them by `rules_of`, and the time by `Now`.
        title: the title in the OpenAPI document.
        version: the program's version.
        larger_bodies: routes whose bodies may be larger than usual.
        root_path: the path under which a proxy serves the API, such as `/pagemill`; empty without one.
        now_s: monotonic seconds, for limits per minute.
    """
    app = _Frame(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        # A redirect would use the host name that the client sent, and so could lead anywhere.
        redirect_slashes=False,
        # No telemetry, whatever environment variables other programs on this machine use.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.below = root_path
    app.state.access_rules = rules
    app.state.failed_logins = FailedLogins(now_s)
    install_failures(app)
    app.add_middleware(RequestGate, rules=rules, larger=larger_bodies)
    app.add_middleware(Unexpected)
    app.add_middleware(SecurityHeaders)
    app.include_router(login.router)
    app.include_router(docs_page.router)
    return app
