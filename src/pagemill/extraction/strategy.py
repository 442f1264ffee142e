"""How a product's page is read: the protocol that every strategy follows, and which strategy a platform uses.

A strategy of your own is a class that is named by its dotted path in `extract.strategy`. It is made once per worker,
with the platform, and reads many pages at the same time, so it keeps nothing about a visit in itself:

    from pagemill.extraction.look import Watch, visit_page
    from pagemill.extraction.strategy import Visit
    from pagemill.model import PageReading

    class BadgeStrategy:
        def __init__(self, platform):
            self.watch = Watch.of(platform, places=((".badge", "title"),), ready=platform.extract.ready)

        async def read(self, page, visit):
            seen = await visit_page(page, visit, self.watch)
            badge = seen.raw[0] if seen.raw else None
            return PageReading(seen.status, seen.url, {"badge": badge}, seen.ready, seen.texts)

`navigate.navigate`, `navigate.translate` and `values.to_fact` may be of use too. The class is imported like any other:
its module must be installed, or its folder be on `PYTHONPATH`. `python -m pagemill` finds modules in the current folder
as well, the `pagemill` command does not: nothing is added to the path behind your back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from playwright.async_api import Page

from pagemill.config.platform import Platform
from pagemill.extraction.api_capture import ApiCaptureStrategy
from pagemill.extraction.dom import DomStrategy
from pagemill.extraction.in_page_fetch import InPageFetchStrategy
from pagemill.extraction.jsonld import JsonLdStrategy
from pagemill.extraction.own_strategy import OwnStrategy, import_strategy
from pagemill.extraction.visit import Visit
from pagemill.model import PageReading

__all__ = ["Strategy", "Visit", "load_strategy"]


class Strategy(Protocol):
    """Reads product pages of one platform."""

    async def read(self, page: Page, visit: Visit) -> PageReading:
        """Visits a page and brings back what it said.

        The reading's facts have every field of the platform, `None` for those that the page did not say; they may be
        empty when the status alone settles the verdict, or the content did not appear. Whatever was subscribed or
        started is taken back, also under cancellation, which passes through.

        Raises:
            ItemError: the visit went wrong; a retry may help if it is `retryable`.
            FullVisitNeeded: only where the visit is not `in_full`: try again so, it counts as no attempt.
            DeadlineExceeded: the page took longer than `visit.timeout_s` and may not answer any more.
        """
        ...


_FRUGAL: dict[str, Callable[[Platform], Strategy]] = {
    "dom": DomStrategy,
    "jsonld": JsonLdStrategy,
    "in_page_fetch": InPageFetchStrategy,
}
"""Strategies that need no more of a page than to be sent somewhere and to run a script."""


def needs_playwright(name: str) -> bool:
    """Whether the strategy of that name uses what only Playwright's own pages have."""
    return name not in _FRUGAL


def load_strategy(platform: Platform) -> Strategy:
    """The strategy that `extract.strategy` names, ready for use.

    Raises:
        ConfigError: it cannot be imported or made, or has no `read`.
    """
    name = platform.extract.strategy
    if (frugal := _FRUGAL.get(name)) is not None:
        return frugal(platform)
    if name == "api_capture":
        return ApiCaptureStrategy(platform)
    return OwnStrategy(import_strategy(platform), tuple(platform.extract.fields))
