"""A lease: the right to use one page for one item. The pool decides which page that is."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from pagemill.browser.isolated_world import IsolatedWorld
from pagemill.browser.opener import PageHandle
from pagemill.browser.page_news import PageNews
from pagemill.browser.slot import Slot
from pagemill.browser.visitor.proxies import Proxies
from pagemill.browser.visitor.proxy_trouble import proxy_trouble
from pagemill.config.platform import Platform
from pagemill.errors import DeadlineExceeded, PageLost, ProxyFailed, TurnDenied, VisitGoesOn

if TYPE_CHECKING:
    from playwright.async_api import Page


class Lessor(Protocol):
    """Gives pages and takes them back: `pool.BrowserPool`. A protocol because the pool makes leases, and so cannot
    be imported here."""

    async def acquire(self, platform: Platform, *, fresh: bool, stop: asyncio.Event | None) -> Slot: ...
    def release(self, slot: Slot, *, bad: str, suspicious: bool, light: bool, bad_context: str) -> None: ...
    def proxy_failed(self, slot: Slot, reason: str) -> bool: ...
    @property
    def proxies(self) -> Proxies: ...


class Lease:
    """The right to use one page for one item."""

    def __init__(
        self, lessor: Lessor, platform: Platform, *, fresh: bool = False, stop: asyncio.Event | None = None
    ) -> None:
        self._lessor = lessor
        self._fresh = fresh
        self._stop = stop
        self._platform = platform
        self._slot: Slot | None = None
        self._bad = ""
        self._bad_context = ""
        self._is_first = False
        self._suspicious = False
        self._light = False

    @property
    def page(self) -> Page:
        """The leased page; it may be used only between entering and leaving."""
        return self._handle().page

    @property
    def refusal(self) -> str | None:
        """Why the host rules refused the page's last navigation; `None` if they did not."""
        return self._handle().firewall.refusal

    @property
    def strayed(self) -> str | None:
        """Why nothing that was read in this lease may be believed; `None` if it may. The page has then shown a document
        of a host that is not the platform's, without a navigation that could have been refused."""
        return self._handle().firewall.strayed

    @property
    def retry_after(self) -> str:
        """The `Retry-After` header of the last answer to a navigation; empty if there was none."""
        return self._handle().firewall.retry_after

    @property
    def is_first(self) -> bool:
        """Whether nothing was visited in the page's context before."""
        return self._is_first

    @property
    def news(self) -> PageNews:
        """What Chromium tells of the page besides its document."""
        return self._handle().firewall.news

    @property
    def world(self) -> IsolatedWorld | None:
        """Where scripts that read the page run; `None` means the page's own world."""
        return self._handle().world

    def mark_bad(self, reason: str) -> None:
        """Notes that the page must not be used again; `reason` is one of a few fixed words."""
        self._bad = self._bad or reason

    def retire_context(self, reason: str) -> None:
        """Notes that the page's whole context, with cookies and storage, must not be used again; `reason` is one of a
        few fixed words. No other lane uses the context, because it is leased together with its page."""
        self.mark_bad(reason)
        self._bad_context = self._bad_context or reason

    def mark_light(self) -> None:
        """Notes that no document was loaded, which wears the page much less."""
        self._light = True

    async def __aenter__(self) -> Lease:
        self._slot = await self._lessor.acquire(self._platform, fresh=self._fresh, stop=self._stop)
        self._is_first = self._slot.is_unused
        self._handle().firewall.reset()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle = self._handle()
        refused = handle.firewall.proxy_refused
        handle.firewall.reset()  # what it keeps may be large
        slot, self._slot = self._slot, None
        assert slot is not None
        cause, failure = error, None
        if isinstance(error, TurnDenied):
            self.mark_light()
            error = None
        elif isinstance(error, VisitGoesOn):
            self._light = self._light or error.light
            error = error.failure
        if error is not None:
            self.mark_bad(type(error).__name__)
            self._suspicious = isinstance(error, PageLost | DeadlineExceeded)
        try:
            failure = await self._proxy_failure(slot, error, refused=refused)
        finally:
            self._lessor.release(
                slot, bad=self._bad, suspicious=self._suspicious, light=self._light, bad_context=self._bad_context
            )
        if failure is not None and (failure.others or not isinstance(cause, VisitGoesOn)):
            raise failure from cause

    async def _proxy_failure(self, slot: Slot, error: BaseException | None, *, refused: bool) -> ProxyFailed | None:
        """The error if the visit failed because of the proxy, which then rests; else `None`."""
        proxy = None if slot.context is None else slot.context.handle.proxy
        cancelled = error is not None and not isinstance(error, Exception)
        if proxy is None or self._light or cancelled:
            return None
        trouble = await proxy_trouble(error, proxy.address, refused=refused)
        if not trouble:
            if error is None:
                self._lessor.proxies.worked(proxy.name)
            return None
        self._suspicious = False  # the proxy is to blame, and not the page or browser
        if self._lessor.proxy_failed(slot, trouble):
            return ProxyFailed(f"proxy {proxy.name} {trouble}", others=True)
        return ProxyFailed(
            f"no proxy works: {self._lessor.proxies.trouble(slot.platform.visitor.proxies)}", others=False
        )

    def _handle(self) -> PageHandle:
        assert self._slot is not None and self._slot.page is not None, "the lease has ended"
        return self._slot.page.handle
