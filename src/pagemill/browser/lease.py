"""A lease: the right to use one page for one item. Where pages come from is the pool's."""

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
    """Who gives pages and takes them back: `pool.BrowserPool`. A protocol because the pool makes leases, and so cannot
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
        """The leased page; only between entering and leaving."""
        return self._handle().page

    @property
    def refusal(self) -> str | None:
        """Why the page's last navigation was refused by the platform's host rules; `None` when it was not."""
        return self._handle().firewall.refusal

    @property
    def strayed(self) -> str | None:
        """Why nothing that was read in this lease may be believed: the page has shown a document of a host that is not
        the platform's, which came without a navigation that could be refused; `None` when it has not."""
        return self._handle().firewall.strayed

    @property
    def retry_after(self) -> str:
        """The header of that name in the last answer to a navigation; empty where there was none."""
        return self._handle().firewall.retry_after

    @property
    def is_first(self) -> bool:
        """Whether nothing has been visited in the page's context before."""
        return self._is_first

    @property
    def news(self) -> PageNews:
        """What Chromium tells of the page besides its document."""
        return self._handle().firewall.news

    @property
    def world(self) -> IsolatedWorld | None:
        """Where scripts that read the page run."""
        return self._handle().world

    def mark_bad(self, reason: str) -> None:
        """Says that the page must not be used again; `reason` is one of a few fixed words."""
        self._bad = self._bad or reason

    def retire_context(self, reason: str) -> None:
        """Says that the page's whole context, with its cookies and storage, must not be used again; `reason` is one of
        a few fixed words. A context is leased with its page, so no other lane is at work in it."""
        self.mark_bad(reason)
        self._bad_context = self._bad_context or reason

    def mark_light(self) -> None:
        """Says that no document was loaded: it wears the page out much less."""
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
        handle.firewall.reset()  # what was heard may be large
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
        """What the visit failed by, where it was the proxy; that rests from now on."""
        proxy = None if slot.context is None else slot.context.handle.proxy
        cancelled = error is not None and not isinstance(error, Exception)
        if proxy is None or self._light or cancelled:
            return None
        trouble = await proxy_trouble(error, proxy.address, refused=refused)
        if not trouble:
            if error is None:
                self._lessor.proxies.worked(proxy.name)
            return None
        self._suspicious = False  # neither page nor browser is to blame
        if self._lessor.proxy_failed(slot, trouble):
            return ProxyFailed(f"proxy {proxy.name} {trouble}", others=True)
        return ProxyFailed(
            f"no proxy works: {self._lessor.proxies.trouble(slot.platform.visitor.proxies)}", others=False
        )

    def _handle(self) -> PageHandle:
        assert self._slot is not None and self._slot.page is not None, "the lease has ended"
        return self._slot.page.handle
