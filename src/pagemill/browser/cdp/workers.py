"""Holds service workers back until no request of a page can reach them, and makes all workers ask the shop.

A service worker would answer instead of the shop on every later visit in its context, and past the firewall. A shop may
still register one and wait for it: it starts, but gets no requests. Chromium lets a page bypass service workers on
request, but then reports details of all its requests (5 % of a visit's time). So pages only do so once their context
has met a service worker; each worker is held back until all pages of its context bypass it.

Requests of shared workers, and those of service workers themselves, belong to no page. They bypass the cache.
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
    """The workers of one browser, by context."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pages: dict[str, WeakSet[PageSession]] = {}
        self._warned: set[str] = set()
        self._sessions: set[str] = set()
        self._starts: set[asyncio.Task[None]] = set()

    async def watch(self) -> None:
        """Holds back every worker from now on. Must be called before the first page is opened."""
        self._connection.on("", "Target.attachedToTarget", self._on_attached)
        self._connection.on("", "Target.detachedFromTarget", self._on_detached)
        kinds = [{"type": kind} for kind in _KINDS]
        how = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True, "filter": kinds}
        await self._connection.send("Target.setAutoAttach", how)

    async def page_opened(self, context: str, page: PageSession) -> None:
        """Makes a page bypass service workers if its context has one, or gets one while the page is in use."""
        self._pages.setdefault(context, WeakSet()).add(page)
        if context in self._warned:
            await _go_past(page)

    def context_closed(self, context: str) -> None:
        """Forgets a context, whose workers have ended with it."""
        self._pages.pop(context, None)
        self._warned.discard(context)

    def _on_attached(self, event: dict[str, Any]) -> None:
        target = event["targetInfo"]
        if target["type"] not in _KINDS:
            return  # a page that we attached to ourselves
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
        """Lets a worker run. If something fails first, the worker stays held back, which is safe."""
        if serves:
            self._warned.add(context)
        # A failure means that the page or worker is gone, or hangs.
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
