"""Strategy `dom`: facts from elements, by CSS selector. Waiting and reading are `look`'s, meaning is `values`'."""

from __future__ import annotations

from playwright.async_api import Page

from pagemill.config.platform import Platform
from pagemill.extraction.look import Watch, visit_page
from pagemill.extraction.values import to_fact
from pagemill.extraction.visit import Visit
from pagemill.model import PageReading


class DomStrategy:
    """Reads every field of the platform from the document, in one round trip after the navigation.

    An element that is not there, or has no text, is a fact that the page did not say: `None`.
    """

    def __init__(self, platform: Platform) -> None:
        self._fields = platform.extract.fields
        places = tuple((rule.selector or "", rule.attribute) for rule in self._fields.values())
        self._watch = Watch.of(platform, places, ready=platform.extract.ready)

    async def read(self, page: Page, visit: Visit) -> PageReading:
        """See `Strategy.read`."""
        seen = await visit_page(page, visit, self._watch)
        # Nothing was read when the status settled everything.
        pairs = zip(self._fields.items(), seen.raw, strict=True) if seen.raw else ()
        facts = {name: to_fact(raw, rule) for (name, rule), raw in pairs}
        return PageReading(status=seen.status, url=seen.url, facts=facts, ready=seen.ready, texts=seen.texts)
