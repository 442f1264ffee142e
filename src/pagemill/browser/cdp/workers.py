"""Has service workers start only when no request of a page can reach them any more, and both kinds ask the shop.

A service worker answers for the shop, on every later visit in its context, and none of that passes the firewall. A shop
may register one all the same, and wait for it: it starts, and is asked nothing. Chromium goes past service workers for
a page that says so, at the price of telling everything about its requests (5 % of a visit). So a page says it when
its context has met a service worker, and each is held back until all of its context's pages have.

Shared workers, and what a service worker fetches for itself, are no page's: they do without the cache.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from weakref import WeakSet

from pagemill.browser.cdp.connection import Connection
from pagemill.browser.cdp.session import PageSession
from pagemill.browser.service_workers import KEEP_NOTHING, PAST_SERVICE_WORKERS
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded
from pagemill.playwright_errors import PlaywrightError

_STEP_S = 5.0
_KINDS = ("service_worker", "shared_worker")


class Workers:
    """Those of one browser, by context."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pages: dict[str, WeakSet[PageSession]] = {}
        self._warned: set[str] = set()
        self._sessions: set[str] = set()
        self._starts: set[asyncio.Task[None]] = set()

    async def watch(self) -> None:
        """Holds back every worker from now on; called before the first page is opened."""
        self._connection.on("", "Target.attachedToTarget", self._on_attached)
        self._connection.on("", "Target.detachedFromTarget", self._on_detached)
        kinds = [{"type": kind} for kind in _KINDS]
        how = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True, "filter": kinds}
        await self._connection.send("Target.setAutoAttach", how)

    async def page_opened(self, context: str, page: PageSession) -> None:
        """Has a page go past the service workers that its context has, or gets while somebody holds the page."""
        self._pages.setdefault(context, WeakSet()).add(page)
        if context in self._warned:
            await _go_past(page)

    def context_closed(self, context: str) -> None:
        """Forgets a context; its workers have ended with it."""
        self._pages.pop(context, None)
        self._warned.discard(context)

    def _on_attached(self, event: dict[str, Any]) -> None:
        target = event["targetInfo"]
        if target["type"] not in _KINDS:
            return  # a page that was attached to on purpose
        name = str(event["sessionId"])
        self._sessions.add(name)
        serves = target["type"] == "service_worker"
        starting = self._start(PageSession(self._connection, name), str(target["browserContextId"]), serves=serves)
        task = asyncio.get_running_loop().create_task(starting)
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    def _on_detached(self, event: dict[str, Any]) -> None:
        if event["sessionId"] in self._sessions:
            self._sessions.discard(event["sessionId"])
            self._connection.forget(event["sessionId"])

    async def _start(self, worker: PageSession, context: str, *, serves: bool) -> None:
        """Lets a worker run. What goes wrong before leaves it waiting, which is safe."""
        if serves:
            self._warned.add(context)
        # Whatever fails has gone, or its page hangs.
        with contextlib.suppress(PlaywrightError, DeadlineExceeded):
            for page in list(self._pages.get(context, ())) if serves else ():
                with contextlib.suppress(PlaywrightError):
                    await within(_STEP_S, _go_past(page), "going past a service worker")
            await within(_STEP_S, _release(worker), "starting a worker")


async def _release(worker: PageSession) -> None:
    await worker.send("Network.enable", KEEP_NOTHING)
    await worker.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await worker.send("Runtime.runIfWaitingForDebugger")


async def _go_past(page: PageSession) -> None:
    for method, parameters in PAST_SERVICE_WORKERS:
        await page.send(method, parameters)
