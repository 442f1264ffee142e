"""A page's commands and events on the shared connection."""

from __future__ import annotations

from typing import Any

from pagemill.browser.cdp.connection import Connection, Event


class PageSession:
    """Commands to one page, and its events. It has the shape of Playwright's `CDPSession`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """See `Connection.send`."""
        return await self._connection.send(method, params, self._name)

    def on(self, event: str, f: Event) -> None:
        """Adds a handler, which gets the event's parameters."""
        self._connection.on(self._name, event, f)

    async def close(self, target: str) -> None:
        """Closes the page of this session."""
        try:
            await self._connection.send("Target.closeTarget", {"targetId": target})
            await self._connection.wait_detached(self._name)  # Chromium answers before a hanging page is gone
        finally:
            self._connection.forget(self._name)
