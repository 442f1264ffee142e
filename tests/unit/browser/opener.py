"""A stand-in for the launcher: opens nothing, counts everything, and can be told to hang or fail at any call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from pagemill.browser.opener import BrowserHandle, ContextHandle, DriverHandle, PageHandle
from pagemill.config.platform import Platform
from pagemill.config.visitor.secrets import Proxy
from pagemill.errors import BrowserUnavailable, PageLost


class CountingOpener:
    """What is open right now, by kind; every call yields to the loop `delay` times first."""

    def __init__(self, delay: int = 1) -> None:
        self.delay = delay
        self.open: dict[str, int] = {"driver": 0, "browser": 0, "context": 0, "page": 0}
        self.most_pages = 0
        self.opened: dict[str, int] = dict.fromkeys(self.open, 0)
        self.fail: dict[str, int] = {}
        """Kind to how many of the next openings fail."""
        self.stuck_closes: set[str] = set()
        self.on_lost: list[Callable[[], None]] = []
        self.on_driver_lost: list[Callable[[], None]] = []
        self.heaps_mb: dict[int, float] = {}
        """By the number of the page, in the order of opening."""
        self.collections: list[int] = []
        """The numbers of the pages that were told to collect their garbage."""
        self.silent = False
        self.has_driver = True
        self.killed: list[BrowserHandle] = []

    async def _step(self) -> None:
        for _ in range(self.delay):
            await asyncio.sleep(0)

    async def _begin(self, kind: str, error: type[Exception]) -> None:
        await self._step()
        if self.fail.get(kind, 0):
            self.fail[kind] -= 1
            raise error(f"cannot open a {kind}")
        self.open[kind] += 1
        self.opened[kind] += 1

    async def start_driver(self, on_lost: Callable[[], None]) -> DriverHandle:
        self.on_driver_lost.append(on_lost)
        await self._begin("driver", BrowserUnavailable)
        return DriverHandle(object() if self.has_driver else None, 0)

    async def launch(self, driver: DriverHandle, on_lost: Callable[[], None]) -> BrowserHandle:
        await self._begin("browser", BrowserUnavailable)
        self.on_lost.append(on_lost)
        return BrowserHandle(cast(Any, SimpleNamespace(contexts=[])), 0, 0, None)

    async def open_context(
        self, browser: BrowserHandle, platform: Platform, proxy: Proxy | None = None
    ) -> ContextHandle:
        await self._begin("context", PageLost)
        context = SimpleNamespace(pages=0, closed=False)
        cast(Any, browser.native).contexts.append(context)
        return ContextHandle(cast(Any, context), proxy)

    async def open_page(self, context: ContextHandle, platform: Platform) -> PageHandle:
        await self._step()
        if cast(Any, context.native).closed:
            raise PageLost("the context is closed")
        await self._begin("page", PageLost)
        cast(Any, context.native).pages += 1
        self.most_pages = max(self.most_pages, self.open["page"])
        firewall = SimpleNamespace(refusal=None, strayed=None, retry_after="", proxy_refused=False, reset=lambda: None)
        page = SimpleNamespace(context=context.native, number=self.opened["page"])
        return PageHandle(cast(Any, page), cast(Any, firewall))

    async def close_page(self, handle: PageHandle) -> bool:
        await self._step()
        if "page" in self.stuck_closes:
            return False
        context = cast(Any, handle.page).context
        if not context.closed:
            context.pages -= 1
            self.open["page"] -= 1
        return True

    async def close_context(self, handle: ContextHandle) -> bool:
        await self._step()
        if "context" in self.stuck_closes:
            return False
        self._end_context(cast(Any, handle.native))
        return True

    def _end_context(self, context: Any) -> None:
        if not context.closed:
            context.closed = True
            self.open["page"] -= context.pages
            self.open["context"] -= 1

    async def close_browser(self, handle: BrowserHandle) -> bool:
        await self._step()
        for context in cast(Any, handle.native).contexts:
            self._end_context(context)
        self.open["browser"] -= 1
        return True

    async def collect_garbage(self, handle: PageHandle, *, at_next_document: bool) -> None:
        await self._step()
        self.collections.append(cast(Any, handle.page).number)

    async def heap_mb(self, handle: PageHandle) -> float | None:
        await self._step()
        return self.heaps_mb.get(cast(Any, handle.page).number)

    async def answers(self, handle: BrowserHandle) -> bool:
        await self._step()
        return not self.silent

    def kill(self, browser: BrowserHandle, driver: DriverHandle) -> None:
        self.killed.append(browser)

    async def stop_driver(self, handle: DriverHandle) -> bool:
        await self._step()
        self.open["driver"] -= 1
        return True
