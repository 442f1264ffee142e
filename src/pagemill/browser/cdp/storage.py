"""Fills the localStorage of a fresh context, without a request to any server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

from pagemill.browser.cdp.connection import Connection
from pagemill.browser.cdp.session import PageSession
from pagemill.config.visitor.storage_state import StoredOrigin
from pagemill.playwright_errors import PlaywrightError

_FILL = "(items) => { for (const [name, value] of items) localStorage.setItem(name, value); }"


async def fill_storage(connection: Connection, context: str, origins: Sequence[StoredOrigin]) -> None:
    """Fills it for each origin. Has no deadline.

    Raises:
        PlaywrightError: the browser is gone.
    """
    if not origins:
        return
    creation = {"url": "about:blank", "browserContextId": context}
    target = str((await connection.send("Target.createTarget", creation))["targetId"])
    attached = await connection.send("Target.attachToTarget", {"targetId": target, "flatten": True})
    session = PageSession(connection, attached["sessionId"])
    answers: set[asyncio.Task[None]] = set()

    async def answer(request: str) -> None:
        reply: dict[str, Any] = {"requestId": request, "responseCode": 200, "body": ""}
        reply["responseHeaders"] = [{"name": "content-type", "value": "text/html"}]
        with contextlib.suppress(PlaywrightError):
            await session.send("Fetch.fulfillRequest", reply)

    def on_paused(event: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(answer(event["requestId"]))
        answers.add(task)
        task.add_done_callback(answers.discard)

    session.on("Fetch.requestPaused", on_paused)
    try:
        await session.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})
        for origin in origins:
            await session.send("Page.navigate", {"url": f"{origin.origin}/"})
            items = [[item.name, item.value] for item in origin.local_storage]
            await session.send("Runtime.evaluate", {"expression": f"({_FILL})({json.dumps(items)})"})
    finally:
        await session.close(target)
