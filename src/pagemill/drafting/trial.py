"""Tries a drafted platform on its own pages, in the way a visit reads them, but without another visit.

The pages are still open: the sources read their documents and the answers that were heard. Only sources without a page
ask the shop again, at its pace.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pagemill.browser.visitor.proxies import Proxies
from pagemill.config.platform import Platform
from pagemill.config.section import MsRange
from pagemill.config.visitor.secrets import VisitorSecrets
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.gather import DEFAULT_WAIT_MS, GatheredPage
from pagemill.errors import DeadlineExceeded, ItemError, VisitGoesOn
from pagemill.extraction.judge import judge_reading
from pagemill.extraction.sources import SourcesStrategy
from pagemill.extraction.visit import Arrival, Visit
from pagemill.model import Judgement, PageReading, Product, Verdict

_MAX_STEPS = 20
_TIMEOUT_S = 15.0
"""For one page, which has loaded already."""
_RIGHT = {
    PageRole.ON_SALE: Verdict.OK,
    PageRole.SOLD_OUT: Verdict.SOLD_OUT,
    PageRole.OFF_SALE: Verdict.OFF_SALE,
    PageRole.GONE: Verdict.GONE,
}


@dataclass(frozen=True, slots=True)
class TriedPage:
    """The verdict and facts that the drafted platform gives one page."""

    page: GatheredPage
    reading: PageReading | None
    """`None` if nothing could be read; the judgement says why."""
    judgement: Judgement

    @property
    def right(self) -> Verdict:
        """The right verdict for the page."""
        return _RIGHT[self.page.evidence.role]

    @property
    def is_right(self) -> bool:
        """Whether the verdict is right."""
        return self.judgement.verdict is self.right


async def try_draft(
    platform: Platform,
    pages: Sequence[GatheredPage],
    *,
    wait_ms: MsRange = DEFAULT_WAIT_MS,
    proxies: Proxies | None = None,
    secrets: VisitorSecrets | None = None,
) -> list[TriedPage]:
    """The outcome for each page, in order. Cancellation passes through.

    Args:
        platform: the draft.
        pages: open pages.
        wait_ms: before each request without a page.
        proxies, secrets: those of the visitor.
    """
    strategy = SourcesStrategy(platform)
    known = Visit("", Product("", ""), _TIMEOUT_S, proxies=proxies, secrets=secrets or VisitorSecrets(), explain=True)
    try:
        return [await _tried(strategy, platform, page, known, wait_ms) for page in pages]
    finally:
        strategy.close()


async def _tried(
    strategy: SourcesStrategy, platform: Platform, page: GatheredPage, known: Visit, wait_ms: MsRange
) -> TriedPage:
    evidence, lease = page.evidence, page.lease
    fields = platform.extract.fields
    expected = {name: value for name, value in evidence.expected.items() if name in fields}
    product = Product("draft", evidence.url, expected)
    names = platform.names_of(product.id, product.url)
    if names is None:
        return TriedPage(page, None, Judgement(Verdict.FAILED, "product.id finds no id in its URL"))
    visit = replace(
        known,
        url=evidence.url,
        product=product,
        names=names,
        news=lease.news,
        world=lease.world,
        arrival=Arrival(evidence.status),
    )
    try:
        for _ in range(_MAX_STEPS):
            needs_page = strategy.needs_page(visit)
            if not needs_page:
                await asyncio.sleep(random.uniform(wait_ms.low_ms, wait_ms.high_ms) / 1000)
            try:
                reading = await strategy.read(lease.page if needs_page else None, visit)
            except VisitGoesOn as error:
                visit = replace(visit, so_far=error.so_far)
                continue
            return TriedPage(page, reading, judge_reading(product, reading, platform.judge, names))
    except (ItemError, DeadlineExceeded) as error:
        return TriedPage(page, None, Judgement(Verdict.FAILED, str(error)))
    raise AssertionError("a visit has no more steps than sources")
