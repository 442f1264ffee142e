"""How a product's page is read: the protocol that every strategy follows, and which strategy a platform uses.

A strategy of your own is a class that is named by its dotted path in `extract.strategy`. It is made once per worker,
with the platform and its `options`, and reads many pages at the same time, so it keeps nothing about a visit in itself:

    from pagemill.extraction.page_reader import Watch, visit_page
    from pagemill.extraction.strategy import Visit
    from pagemill.model import PageReading

    class BadgeStrategy:
        def __init__(self, platform, options):
            places = [(options.get("badge", ".badge"), "title")]
            self.watch = Watch.of(platform, places, ready=platform.extract.ready)

        async def read(self, page, visit):
            seen = await visit_page(page, visit, self.watch)
            badge = seen.raw[0] if seen.raw else None
            return PageReading(seen.status, seen.url, {"badge": badge}, seen.ready, seen.texts)

A class without an argument `options` is made with the platform alone. `navigate.navigate`, `navigate.translate` and
`values.to_fact` may be of use too. The class is imported like any other: its module must be installed, or its folder be
on `PYTHONPATH`. `python -m pagemill` finds modules in the current folder as well, the `pagemill` command does not:
nothing is added to the path behind your back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pagemill.config.platform import Platform
from pagemill.extraction.own_strategy import OwnStrategy, import_strategy
from pagemill.extraction.sources import SourcesStrategy
from pagemill.extraction.visit import Visit
from pagemill.model import PageReading

if TYPE_CHECKING:
    from playwright.async_api import Page

__all__ = ["Strategy", "Visit", "load_strategy"]


class Strategy(Protocol):
    """Reads products of one platform. A protocol because pagemill's sources and users' own classes both follow it."""

    def needs_page(self, visit: Visit) -> bool:
        """Whether the next call of `read` for this visit needs a page."""
        ...

    async def read(self, page: Page | None, visit: Visit) -> PageReading:
        """Visits a page, or asks without one, and brings back what was said.

        The reading's facts have every field of the platform, `None` for those that were not said. They may be empty if
        the status alone settles the verdict, or if the content did not appear. Every listener and task is taken back,
        also under cancellation, which passes through.

        Args:
            page: `None` where `needs_page` says so.
            visit: of the product.

        Raises:
            ItemError: the visit went wrong; a retry may help if it is `retryable`. VisitGoesOn: there is another step
            to go: call again with `visit.so_far` as it says; it counts as no attempt. DeadlineExceeded: the page took
            longer than `visit.timeout_s` and may not answer any more.
        """
        ...


def load_strategy(platform: Platform) -> Strategy:
    """The strategy that a platform's `extract` section describes, ready for use.

    Raises:
        ConfigError: a class of the user's own cannot be imported or made, or has no `read`.
    """
    own = next((source for source in platform.extract.sources if source.is_own), None)
    if own is None:
        return SourcesStrategy(platform)
    return OwnStrategy(import_strategy(platform, own), tuple(platform.extract.fields))
