"""The interface that opens and closes browsers, contexts and pages, and their handles. The pool knows only this.

`cdp.launcher` speaks Chromium's own protocol; `playwright_launcher` uses Playwright's driver, for strategies
that need Playwright's pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pagemill.browser.firewall import Firewall
from pagemill.browser.isolated_world import IsolatedWorld
from pagemill.config.platform import Platform
from pagemill.config.visitor.secrets import Proxy

if TYPE_CHECKING:
    from playwright.async_api import Page


@dataclass(eq=False, slots=True)
class DriverHandle:
    """A running driver. `pid` is 0 if the kernel does not tell it.

    In all handles, `native` is the real object, which only its opener uses. It is `None` if there is no driver. Then
    there is no driver that could wear out.
    """

    native: Any
    pid: int


@dataclass(eq=False, slots=True)
class BrowserHandle:
    """A running Chromium. `group` is its process group; its leader may be a wrapper script instead of Chromium."""

    native: Any
    pid: int
    group: int
    profile: Path | None


@dataclass(eq=False, slots=True)
class ContextHandle:
    """An open context of one platform, and the proxy that all its requests go through."""

    native: Any
    proxy: Proxy | None = None


@dataclass(eq=False, slots=True)
class PageHandle:
    """An open page with its firewall. Without a driver, it has only what `cdp.page` offers of Playwright's."""

    page: Page
    firewall: Firewall = field(repr=False)
    world: IsolatedWorld | None = field(default=None, repr=False)
    """Where scripts that read the page run."""


class Opener(Protocol):
    """Opens and closes. Closing never raises; it returns whether it went well. A protocol because there are two."""

    async def start_driver(self, on_lost: Callable[[], None]) -> DriverHandle: ...
    async def launch(self, driver: DriverHandle, on_lost: Callable[[], None]) -> BrowserHandle: ...
    async def open_context(
        self, browser: BrowserHandle, platform: Platform, proxy: Proxy | None = None
    ) -> ContextHandle: ...
    async def open_page(self, context: ContextHandle, platform: Platform) -> PageHandle: ...
    async def close_page(self, handle: PageHandle) -> bool: ...
    async def close_context(self, handle: ContextHandle) -> bool: ...
    async def close_browser(self, handle: BrowserHandle) -> bool: ...
    async def stop_driver(self, handle: DriverHandle) -> bool: ...
    async def collect_garbage(self, handle: PageHandle, *, at_next_document: bool) -> None: ...
    async def heap_mb(self, handle: PageHandle) -> float | None: ...
    async def answers(self, handle: BrowserHandle) -> bool: ...
    def kill(self, browser: BrowserHandle, driver: DriverHandle) -> None: ...
