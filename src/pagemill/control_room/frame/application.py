"""The application that routes are added to with `include_router`: what they all share, and no route of theirs.

From outside to inside: `SecurityHeaders` (headers), `Unexpected` (the 500), `RequestGate` (host and body), routes with
their failures. The server that runs it must be told to send no `Server` header of its own: uvicorn by
`server_header=False`.
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
    """Its OpenAPI document says what the frame itself may answer.

    A proxy that leaves its own path in front of ours and one that takes it away are the same to all that is within.
    """

    below = ""
    """Where a proxy has the API."""

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
    """An API that can log in and out, documents itself at `/docs` and `/openapi.json`, and keeps the rules.

    Args:
        rules: who may do what; routes find them by `rules_of`, and the time by `Now`.
        title: what the document calls it.
        version: of the program.
        larger_bodies: what may be larger than usual.
        root_path: where a proxy has the API, such as `/pagemill`; empty where it is at the top.
        now_s: monotonic seconds, for what is limited per minute.
    """
    app = _Frame(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        # A redirect to the name that a client claims to have asked would lead wherever it likes.
        redirect_slashes=False,
        # What is measured stays here, whatever variables other programs on the machine are steered by.
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
